"""`qsp e91`: a simulated link and its post-processing, as its users meet it."""

import glob
import json
import os
import re
import signal
import struct
import tempfile
import unittest
import xml.dom.minidom

from program import PATIENCE, QSP, error_lines, main, process, qsp

LINKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "links")
# Half a second: a bright link with little loss, and blocks that are just long enough for a key.
LINK = ("--distance", "1", "--p-z", "0.6", "--block-bits", "40000", "--seed", "test")
QUICK = ("--blocks", "2", *LINK)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="qsp-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def json_of(self, *args, code=0):
        done = qsp("e91", *args, "--json")
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def assert_fails(self, done, told, code):
        self.assertEqual(done.returncode, code, done.stderr)
        lines = error_lines(done)
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], told)

    def assert_self_contained(self, file):
        """Well-formed, and nothing in it that a browser would fetch or run."""
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        document = xml.dom.minidom.parseString(text.encode())
        for place in re.findall(r"https?://[^\s\"'<]*", text):
            self.assertIn(place, ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"))
        for element in ("script", "link", "img", "iframe", "object", "image", "use"):
            self.assertEqual(len(document.getElementsByTagName(element)), 0, element)
        self.assertNotRegex(text, r"@import|url\((?!#)|\bnan\b|\binf\b")
        return text


class Help(Case):
    def test_every_verb_has_a_help_with_examples(self):
        for verb in ((), ("run",), ("sweep",), ("compare",), ("audit",), ("bench",)):
            done = qsp("e91", *verb, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, rb"Examples?:\n  qsp e91")

    def test_a_wrong_argument_is_named(self):
        for args, told in (
            (("run", "--eve", "listen"), b"--eve.*intercept:FRACTION"),
            (("run", "--eve", "intercept:2"), b"--eve.*from 0 to 1"),
            (("run", "--visibility", "1.5"), b"--visibility"),
            (("run", "--mode", "odd"), b"--mode"),
            (("run", "--block-bits", "3"), b"--block-bits"),
            (("sweep", "--over", "moon"), b"--over"),
            (("sweep",), b"--over"),
            (("sweep", "--over", "eve", "--from", "1", "--to", "0"), b"--from .1. has to be below --to .0."),
            (("sweep", "--over", "visibility", "--to", "3"), b"visibility goes from 0 to 1; 3 is outside"),
            (("audit",), b"TRANSCRIPT"),
            (("bench", "--blocks", "0"), b"--blocks"),
            ((), b"give one of its commands: run, sweep"),
        ):
            with self.subTest(args):
                done = qsp("e91", *args)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertRegex(done.stderr, told)

    def test_a_file_that_cannot_be_is_named_before_the_work(self):
        self.assert_fails(qsp("e91", "run", "--link", self.path("none.toml")), "none.toml", 1)
        with open(self.path("bad.toml"), "w", encoding="ascii") as file:
            file.write("[pairs]\nmean_pair = 1\n")
        self.assert_fails(qsp("e91", "run", "--link", self.path("bad.toml")), r"bad.toml:2:\d+: \[pairs\], field", 1)
        for option in ("--report", "--transcript"):
            file = self.path("no/where")
            self.assert_fails(qsp("e91", "run", *QUICK, option, file), f"{file}.*cannot be written", 1)


class Run(Case):
    def test_an_honest_link_gives_keys_that_are_equal(self):
        made = self.json_of("run", *QUICK)
        self.assertTrue(made["simulated"] and made["seeded"])
        total = made["total"]
        self.assertEqual((total["blocks"], total["blocks_with_key"], total["keys_equal"]), (2, 2, True))
        self.assertGreater(total["keys"], 40)
        self.assertAlmostEqual(total["qber"]["value"], 0.0135, delta=0.005)
        self.assertLess(total["s"]["value"], -2.6)
        self.assertEqual(total["key_bits"], sum(block["key_bits"] for block in made["blocks"]))
        for block in made["blocks"]:
            self.assertLess(block["key_bits"] + block["disclosed_bits"], block["sifted_bits"])

    def test_it_says_that_it_is_simulated(self):
        done = qsp("e91", "run", *QUICK)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("SIMULATED, and repeatable from its seed: these keys are no secrets.", done.stdout.decode())
        self.assertIn("SIMULATED", qsp("e91", "run", *QUICK[:-2]).stdout.decode())

    def test_the_same_seed_is_the_same_run_and_another_is_not(self):
        first, second = (qsp("e91", "run", *QUICK, "--json").stdout for _ in range(2))
        self.assertEqual(first, second)
        other = qsp("e91", "run", *QUICK[:-1], "0" * 64, "--json").stdout
        self.assertNotEqual(first, other)

    def test_whoever_listens_to_everything_leaves_no_key(self):
        for mode, eve in (("biased", "intercept:1"), ("biased", "source:separable"), ("classic", "intercept:1,angle=67.5")):
            with self.subTest(mode=mode, eve=eve):
                done = qsp("e91", "run", *QUICK, "--mode", mode, "--eve", eve, "--json")
                self.assert_fails(done, "no block brought a key; the first: |S| is under its floor", 1)
                total = json.loads(done.stdout)["total"]
                self.assertEqual((total["keys"], total["key_bits"]), (0, 0))
                self.assertLess(abs(total["s"]["value"]), 2)

    def test_blinded_detectors_are_not_noticed(self):
        made = self.json_of("run", *QUICK, "--eve", "blinding")
        self.assertEqual(made["total"]["blocks_with_key"], 2)
        self.assertEqual(made["total"]["qber"]["value"], 0)

    def test_a_link_from_a_file_stands_beside_what_was_published(self):
        file = os.path.join(LINKS, "schimpf2021.toml")
        done = qsp("e91", "run", "--link", file, "--blocks", "1", "--seed", "a")
        self.assert_fails(done, "no bit of key could be certified", 1)  # so short a block has no key
        self.assertRegex(done.stdout.decode(), r"published QBER\s+1\.9 %\n")
        self.assertRegex(done.stdout.decode(), r"theory: QBER\s+(1\.[4-9]|2\.[0-4])\d %\n")

    def test_a_block_that_is_too_long_for_its_link_is_refused_with_the_remedy(self):
        file = os.path.join(LINKS, "schimpf2021.toml")
        done = qsp("e91", "run", "--link", file, "--block-bits", "1000000")
        self.assert_fails(done, r"--block-bits \d+ at most", 1)
        done = qsp("e91", "run", "--loss-db", "200", "--block-bits", "1000000")
        self.assert_fails(done, "brings too little for a block of 1,000,000 bits", 1)

    def test_a_signal_ends_it_after_the_block_with_what_there_is(self):
        transcript = self.path("long.qsp")
        os.mkfifo(transcript)  # a pipe is written as the run goes on
        args = (*LINK, "--blocks", "1000000", "--transcript", transcript, "--json")
        with process(QSP, "e91", "run", *args) as (running, log):
            with open(transcript, "rb") as said:
                said.read(100_000)  # a block and more
                running.send_signal(signal.SIGINT)
                while said.read(1 << 20):
                    pass
            out = running.communicate(timeout=PATIENCE)[0]
            self.assertEqual(running.returncode, 0, log())
            self.assertIn("stopped after", log())
        self.assertGreaterEqual(json.loads(out)["total"]["blocks_with_key"], 1)

    def test_report_and_plots_are_well_formed_and_load_nothing(self):
        links = glob.glob(os.path.join(LINKS, "*.toml"))
        done = qsp("e91", "run", *QUICK, "--eve", "intercept:0.05,angle=45", "--report", self.path("r.html"),
                   "--plot", self.path("plots"), "--published", *links)
        self.assertEqual(done.returncode, 0, done.stderr)
        page = self.assert_self_contained(self.path("r.html"))
        for text in ("SIMULATED", "intercept:0.05", "Neumann 2022", "2√2", "blinds detectors"):
            self.assertIn(text, page)
        plots = sorted(os.listdir(self.path("plots")))
        self.assertEqual(plots, ["bell-over-eve.svg", "correlation-over-angle.svg", "errors-over-eve.svg",
                                 "rate-over-distance.svg"])
        for plot in plots:
            self.assert_self_contained(os.path.join(self.path("plots"), plot))


class Sweep(Case):
    def test_simulation_agrees_with_theory(self):
        made = self.json_of("sweep", "--over", "eve", "--steps", "5", "--p-z", "0.5", "--distance", "1", "--blocks", "0",
                            "--seed", "a", "--plot", self.path("eve"))
        self.assertEqual([point["x"] for point in made["points"]], [0, 0.25, 0.5, 0.75, 1])
        for point in made["points"]:
            for name in ("s", "qber", "phase_error"):
                seen, expected = point["simulated"][name], point["theory"][name]
                self.assertLess(abs(seen["value"] - expected), 5 * seen["deviation"], (point["x"], name))
        self.assertAlmostEqual(made["points"][-1]["theory"]["s"] / made["points"][0]["theory"]["s"], 0.5, delta=0.02)
        for plot in made["plots"]:
            self.assert_self_contained(plot)

    def test_blocks_give_a_key_where_theory_says_so(self):
        made = self.json_of("sweep", "--over", "visibility", "--from", "0.6", "--to", "1", "--steps", "2", "--p-z", "0.6",
                            "--distance", "1", "--block-bits", "40000", "--seed", "a")
        low, high = made["points"]
        self.assertEqual((low["theory"]["secret_bits_per_s"], low["simulated"]["secret_bits_per_s"]), (0, 0))
        expected, seen = high["theory"]["secret_bits_per_s"], high["simulated"]["secret_bits_per_s"]
        self.assertAlmostEqual(seen / expected, 1, delta=0.2)

    def test_an_attack_without_a_number_cannot_be_varied(self):
        self.assert_fails(qsp("e91", "sweep", "--over", "eve", "--eve", "blinding"), "takes an attack with a number", 1)


class Compare(Case):
    def test_published_links_fit_and_say_what_they_rest_on(self):
        links = [os.path.join(LINKS, name) for name in ("erven2008.toml", "schimpf2021.toml", "wengerowsky2019.toml")]
        made = self.json_of("compare", *links, "--seed", "test")
        self.assertTrue(made["fits"] and made["simulated"])
        self.assertEqual(len(made["links"]), 3)
        for link in made["links"]:
            self.assertAlmostEqual(link["coincidences"] / 20_000, 1, delta=0.05)
            self.assertIn("(20", link["reference"])
            counted = [figure for figure in link["figures"] if figure["simulated"] is not None]
            self.assertGreaterEqual(len(counted), 2)
            for figure in counted:
                apart = figure["theory"] - figure["published"]
                if figure["unit"] == "1/s":
                    apart /= figure["published"]
                self.assertAlmostEqual(apart, figure["apart"])
                self.assertLessEqual(abs(apart), 0.2 if figure["unit"] == "1/s" else 0.005)
                # What is counted is what theory expects of this link.
                self.assertLess(abs(figure["simulated"]["value"] - figure["theory"]),
                                6 * figure["simulated"]["deviation"] + 0.002 * figure["theory"])
                self.assertGreater(figure["chance"], made["false_alarm"])

    def test_no_run_fails_by_chance(self):
        """Few counts of a link whose error rate fits with little to spare: what they stray by does not decide."""
        with open(os.path.join(LINKS, "erven2008.toml"), encoding="utf-8") as file:
            text = file.read()
        with open(self.path("close.toml"), "w", encoding="utf-8") as file:
            file.write(text.replace("qber = 0.0492", "qber = 0.0449"))
        strayed = 0
        for seed in range(8):
            made = self.json_of("compare", self.path("close.toml"), "--coincidences", "2000", "--seed", f"seed {seed}")
            self.assertTrue(made["fits"])
            rate = made["links"][0]["figures"][0]
            strayed += abs(rate["simulated"]["value"] - rate["published"]) > 0.005
        self.assertGreater(strayed, 0, "the test tests nothing")

    def test_a_run_that_was_given_no_seed_tells_its_own(self):
        args = ("compare", os.path.join(LINKS, "erven2008.toml"), "--coincidences", "1000")
        first = self.json_of(*args)
        self.assertNotEqual(first["seed"], self.json_of(*args)["seed"])
        again = qsp("e91", *args, "--seed", first["seed"])
        self.assertEqual((again.returncode, json.dumps(first)), (0, json.dumps(self.json_of(*args, "--seed", first["seed"]))))
        self.assertIn(f"Seed: {first['seed']} ", again.stdout.decode())

    def test_a_link_that_does_not_fit_is_told(self):
        with open(os.path.join(LINKS, "erven2008.toml"), encoding="utf-8") as file:
            text = file.read()
        for change, figure in ((("qber = 0.0492", "qber = 0.06"), "QBER"), (("= 565", "= 400"), "coincidences")):
            with self.subTest(figure):
                with open(self.path("misfit.toml"), "w", encoding="utf-8") as file:
                    file.write(text.replace(*change))
                done = qsp("e91", "compare", self.path("misfit.toml"), "--seed", "test")
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stdout.decode(), rf"(?m){figure} .* NO *$")

    def test_a_link_without_published_figures_is_refused(self):
        with open(self.path("plain.toml"), "w", encoding="ascii") as file:
            file.write("[pairs]\nmean_pairs = 0.1\n")
        self.assert_fails(qsp("e91", "compare", self.path("plain.toml"), "--coincidences", "100"), "plain.toml.*no published", 1)


class Audit(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.transcripts = {}
        for mode in ("biased", "classic"):
            file = os.path.join(cls.folder, f"{mode}.qsp")
            made = qsp("e91", "run", *QUICK, "--mode", mode, "--transcript", file)
            if made.returncode != 0:
                raise AssertionError(made.stderr)
            with open(file, "rb") as opened:
                cls.transcripts[mode] = (file, opened.read())

    def test_a_run_comes_to_the_same_numbers(self):
        run = self.json_of("run", *QUICK)
        audited = self.json_of("audit", self.transcripts["biased"][0])
        self.assertTrue(audited["ok"])
        self.assertEqual((audited["blocks_with_key"], audited["mismatches"]), (2, 0))
        for mine, told in zip(audited["blocks"], run["blocks"], strict=True):
            self.assertEqual(mine["certified_bits"], told["key_bits"])
            self.assertEqual(mine["disclosed_bits"], told["disclosed_bits"])
            self.assertEqual(mine["s"], told["s"]["value"])
            self.assertEqual(mine["phase_error"], told["phase_error"])

    def test_both_modes_and_blocks_without_a_key_are_in_order(self):
        done = qsp("e91", "audit", self.transcripts["classic"][0])
        self.assertEqual((done.returncode, done.stdout.count(b"OK")), (0, 2), done.stdout)
        file = self.path("eve.qsp")
        self.assertEqual(qsp("e91", "run", *QUICK, "--eve", "intercept:1", "--transcript", file).returncode, 1)
        done = qsp("e91", "audit", file)
        self.assertEqual(done.returncode, 0)
        self.assertIn("OK, given up: |S| is under its floor", done.stdout.decode())

    def test_a_transcript_that_was_changed_is_found(self):
        entries = list(self.entries(self.transcripts["biased"][1]))
        kinds = [kind for kind, _, _ in entries]
        privacy = kinds.index(10)
        _, start, end = entries[privacy]
        content = bytearray(self.transcripts["biased"][1])
        content[start + 9 + 3] ^= 1  # ℓ
        self.assert_mismatch(bytes(content))
        del content[start - 5 : end]  # the whole message
        self.assert_mismatch(bytes(content))

    def test_parameters_are_told_and_required(self):
        file, _ = self.transcripts["biased"]
        audited = self.json_of("audit", file, "--require", "eps_sec<=1e-9,keys>=2")
        self.assertEqual(audited["parameters"]["epsilon_secrecy"], 1e-10)
        self.assertAlmostEqual(audited["epsilon_total"], 2e-10, delta=1e-14)
        self.assertEqual(audited["unmet"], [])
        self.assertTrue(audited["checked"] and audited["not_shown"])
        lax = bytearray(self.transcripts["biased"][1])
        at = lax.index(b"\n") + 2
        lax[at : at + 8] = struct.pack(">d", 0.5)
        with open(self.path("lax.qsp"), "wb") as out:
            out.write(lax)
        done = qsp("e91", "audit", self.path("lax.qsp"), "--require", "eps_sec<=1e-9")
        self.assertEqual(done.returncode, 1)
        self.assertIn("eps_sec is 0.5, not <= 1e-09", done.stderr.decode())
        self.assertIn("\u03b5_sec 0.5", done.stdout.decode())
        done = qsp("e91", "audit", file, "--require", "eps<1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--require: takes NAME<=NUMBER", done.stderr.decode())

    def test_what_is_no_transcript_is_refused(self):
        whole = self.transcripts["biased"][1]
        for name, content in (("empty", b""), ("text", b"hello\n"), ("cut", whole[:-3]), ("header", whole[:30])):
            with self.subTest(name):
                file = self.path(name)
                with open(file, "wb") as out:
                    out.write(content)
                self.assert_fails(qsp("e91", "audit", file), name, 1)

    @staticmethod
    def entries(content):
        """(type, start, end) of every message."""
        at = content.index(b"\n") + 1 + 1 + 7 * 8
        while at < len(content):
            size = int.from_bytes(content[at + 1 : at + 5], "big")
            yield content[at + 5], at + 5, at + 5 + size
            at += 5 + size

    def assert_mismatch(self, content):
        file = self.path("changed.qsp")
        with open(file, "wb") as out:
            out.write(content)
        done = qsp("e91", "audit", file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("MISMATCH", done.stdout.decode())


class Bench(Case):
    def test_gives_every_figure(self):
        made = self.json_of("bench", "--blocks", "1", "--key-bits", "200000")
        values = {row["name"]: row["value"] for row in made["rows"]}
        for name in ("ideal_pairs", "bright_slots", "link_slots", "toeplitz_1mbit", "tags", "whole_sifted"):
            self.assertGreater(values[name], 0)
        for percent in (1, 2, 3, 5):
            self.assertEqual(values[f"cascade_{percent}_percent_frame_errors"], 0)
            self.assertTrue(1 < values[f"cascade_{percent}_percent_f"] < 1.3)


if __name__ == "__main__":
    main()
