"""Sessions with KMEs of the field, whose words, forms and TLS are not ours: kme_field_test.py QSP."""

import re
import signal
import ssl
import threading
import time

from field_kme import FieldKme, reply, words
from kme_case import KmeCase, keys_of
from program import PATIENCE, main, wait_until


class InTheField(KmeCase):
    """KMEs whose words, forms and TLS are not ours (SPEC §5.7)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab = cls.make_lab(0)

    def meet(self, kme, *args, policy="required"):
        """(what alice's end was, bob's log), both ends with that KME."""
        with self.server(policy, keys_of(self.lab, "bob", url=kme.url), *args) as (port, _, log):
            done = self.connect(port, policy, (*keys_of(self.lab, "alice", url=kme.url), *args))
            return done, log()

    # SPEC §5.7: each further enc_keys is logged.
    def test_not_there_yet_and_not_enough_in_other_words_are_waited_for_and_told(self):
        script = {"enc_keys": [words(400, "key pool is empty"), reply(502)],
                  "dec_keys": [words(400, "no such key so far"), reply(401), words(409, "busy"), reply(200, b'{"keys":[]}')]}
        with FieldKme(self.lab.folder, script) as kme:
            done, log = self.meet(kme)
            self.assert_succeeds(done)
            said = done.stderr.decode()
            self.assertRegex(said, "no QKD key for SAE bob yet: KME .* answered 400: key pool is empty; asking again, call 2 of enc_keys")
            self.assertRegex(said, "answered 502; asking again, call 3 of enc_keys.*; 1 key may be burned")
            self.assertEqual((kme.count("enc_keys"), kme.count("dec_keys")), (3, 5))

    # SPEC §5.7: Retry-After.
    def test_a_kme_is_left_alone_for_as_long_as_it_wants(self):
        date = ["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT"]
        script = {"enc_keys": [reply(503, head=["Retry-After: 1"])], "dec_keys": [reply(429, head=date)]}
        with FieldKme(self.lab.folder, script) as kme:
            began = time.monotonic()
            done, log = self.meet(kme)
            self.assert_succeeds(done)
            self.assertGreaterEqual(time.monotonic() - began, 2)
            self.assertRegex(done.stderr.decode(), r"answered 503 .it asks to wait 1 s.; asking again")
        with FieldKme(self.lab.folder, {"enc_keys": [reply(503, head=["Retry-After: 3600"])]}) as kme:
            done, _ = self.meet(kme)
            self.assertIn("this end's KME or pad", self.assert_fails(done, "QKD_UNAVAILABLE"))
            self.assertRegex(done.stderr.decode(), "no key in time: KME .* answered 503 .it asks to wait 3600 s.")
            self.assertEqual(kme.count("enc_keys"), 1)

    # SPEC §5.7: wherever a key may be burned.
    def test_an_enc_keys_whose_session_ends_meanwhile_is_told_once(self):
        held = threading.Event()
        self.addCleanup(held.set)
        with FieldKme(self.lab.folder, form=lambda body: (held.wait(PATIENCE), reply(200, body))[1]) as kme:
            bob, alice = (keys_of(self.lab, sae, url=kme.url) for sae in ("bob", "alice"))
            with self.server("required", bob) as (port, _, _), self.world.client(port, *alice, peers="alice-required.toml") as client:
                wait_until(lambda: kme.given == 1, "enc_keys")
                client.send_signal(signal.SIGTERM)
                _, said = self.ended(client)
        self.assertEqual(len(re.findall("nobody waits any more for the QKD key for SAE bob .*; 1 key may be burned", said)), 1, said)
        self.assertEqual(said.count("burned"), 1, said)

    def test_post_refused_is_asked_by_get(self):
        for status in (404, 405, 415, 501):
            with self.subTest(status), FieldKme(self.lab.folder, refuse_post=status) as kme:
                done, _ = self.meet(kme)
                self.assert_succeeds(done)

    def test_a_body_that_ends_with_the_connection_is_taken_where_its_end_is_sure(self):
        def form(body):
            return reply(200, body, length=False)
        with FieldKme(self.lab.folder, form=form) as kme:
            self.assert_succeeds(self.meet(kme)[0])
        with FieldKme(self.lab.folder, form=form, clean=False) as kme:
            done, _ = self.meet(kme)
            self.assert_fails(done, "QKD_UNAVAILABLE")
            self.assertRegex(done.stderr.decode(), "--kme-unclean-end.*; 1 key may be burned")
            self.assertEqual(kme.given, 1, "asked again for what would be the same")
            self.assert_succeeds(self.meet(kme, "--kme-unclean-end")[0])

    # SPEC §5.7: with how many keys may be burned.
    def test_what_is_wrong_with_an_answers_form_costs_one_key_and_is_named(self):
        large = b'{"keys":[],"x":"' + bytes(70_000).replace(b"\0", b"x") + b'"}'
        for form, named in ((lambda body: reply(200, body, ["Content-Encoding: gzip"]), "Content-Encoding gzip"),
                            (lambda body: reply(200, large), "larger than allowed"),
                            (lambda body: reply(200, body, ["Content-Length: 3"]), "no HTTP/1.1"),
                            (lambda body: reply(200, body, ["X: " + "x" * 20_000]), "header fields are too large")):
            with self.subTest(named), FieldKme(self.lab.folder, form=form) as kme:
                done, _ = self.meet(kme)
                self.assertIn("this end's KME or pad", self.assert_fails(done, "QKD_UNAVAILABLE"))
                self.assertRegex(done.stderr.decode(), f"no QKD key for SAE bob: .*{named}.*; 1 key may be burned")
                self.assertEqual(kme.given, 1)

    def test_tls_that_does_not_meet_is_told_with_the_option_and_not_tried_again(self):
        with FieldKme(self.lab.folder, tls=ssl.TLSVersion.TLSv1_2) as kme:
            done, _ = self.meet(kme)
            self.assert_fails(done, "QKD_UNAVAILABLE")
            self.assertRegex(done.stderr.decode(), "no QKD key for SAE bob: (?!no key in time).*--kme-tls12")
            self.assert_succeeds(self.meet(kme, "--kme-tls12")[0])

    def test_what_a_kme_says_is_escaped_once(self):
        with FieldKme(self.lab.folder, {"enc_keys": [words(403, "a\nb\\c \x1b[31m")]}) as kme:
            done, _ = self.meet(kme)
            self.assertIn(r"answered 403: a\x0ab\\c \x1b[31m (", done.stderr.decode())

    # SPEC §5.7: whatever does not plainly say no.
    def test_keys_that_are_called_simulated_as_a_text_are_told(self):
        def form(body):
            return reply(200, body.replace(b'"key":', b'"key_extension":{"simulated":"true"},"key":'))
        with FieldKme(self.lab.folder, form=form) as kme:
            done, log = self.meet(kme)
            self.assert_succeeds(done)
            for text in (done.stderr.decode(), log):
                self.assertRegex(text, "warning .*are SIMULATED")

    def test_a_supply_of_0_is_not_believed_of_a_kme_that_gives_keys(self):
        floor = ("--rekey-interval", "1", "--rekey-timer", "60", "--qkd-rekey-max", "60")
        with FieldKme(self.lab.folder, stored=0) as kme:
            with self.session("required", keys_of(self.lab, "bob", url=kme.url), keys_of(self.lab, "alice", url=kme.url),
                              *floor) as (client, log):
                wait_until(lambda: len(re.findall("session .* epoch [0-9]+: ", log())) >= 2, "two rekeys at full pace")
                self.assertNotIn("is low", log())
                self.assertIsNone(client.poll())


if __name__ == "__main__":
    main()
