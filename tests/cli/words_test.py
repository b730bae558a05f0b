"""What the program says to words it does not know, to old names and to strangers: words_test.py QSP."""

import json
import os
import re
import tempfile

from program import QSP, Case, error_lines, first_line, free_ports, help_of, main, process, qsp, wait_until


def warnings(done):
    return [line for line in done.stderr.decode().splitlines() if line.startswith("qsp: warning: ")]


class Usage(Case):
    def assert_usage(self, args, told):
        return self.assert_fails(qsp(*args), told, code=2)

    def write(self, name, text, mode=0o600):
        return self.world.write(name, text.encode(), mode)


class Words(Usage):
    def test_an_unknown_command_is_named_with_the_nearest(self):
        for args, told in (
            (["conect"], r"qsp has no command 'conect'; did you mean connect\?.*qsp --help"),
            (["sevre", "--key", "x"], r"'sevre'; did you mean serve\?"),
            (["kme", "staus"], r"qsp kme has no command 'staus'; did you mean status\?.*qsp kme --help"),
            (["e91", "alise", "--link", "x"], r"'alise'; did you mean alice\?"),
            (["pad", "craete"], r"'craete'; did you mean create\?"),
            (["bench", "handshakes"], r"'handshakes'; did you mean handshake\?"),
            (["--json", "--log-level", "debug", "fingerprnt", "x"], r"'fingerprnt'; did you mean fingerprint\?"),
            (["quux"], r"'quux'; it has serve, connect, .*version"),
            (["a" * 5000], r"has no command 'aaa"),
            (["\x1b[31m\xff"], r"has no command '\\x1b\[31m"),
        ):
            with self.subTest(args=args):
                self.assert_usage(args, told)

    def test_a_group_without_a_command_lists_its_commands(self):
        self.assert_usage([], r"qsp: give one of its commands: serve, connect")
        self.assert_usage(["kme"], r"qsp kme: give one of its commands: serve, lab, status")

    def test_an_unknown_option_is_named_with_the_nearest(self):
        for args, told in (
            (["serve", "--thread", "2"], r"qsp serve has no option --thread; did you mean --threads\?.*qsp serve --help"),
            (["serve", "--lisen=127.0.0.1:0"], r"has no option --lisen; did you mean --listen\?"),
            (["kme", "load", "--parallel", "2"], r"qsp kme load has no option --parallel \(see"),
            (["pad", "create", "--kyes", "2"], r"did you mean --keys\?"),
            (["version", "--jsno"], r"did you mean --json\?"),
            (["version", "-x"], r"qsp version has no option -x"),
        ):
            with self.subTest(args=args):
                self.assert_usage(args, told)

    def test_other_mistakes_name_verb_and_option(self):
        self.assert_usage(["serve", "--threads", "0"], r"qsp serve: --threads: .*see: qsp serve --help")
        self.assert_usage(["keygen"], r"qsp keygen: --out is required")
        self.assert_usage(["version", "surplus"], r"qsp version: .*surplus")
        self.assert_usage(["connect", "x", "--options"], r"--options")

    def test_version_and_help_as_others_spell_them(self):
        version = qsp("version").stdout
        self.assertRegex(version, rb"(?s)^qsp \d.*\nKEMs +X25519MLKEM768.*\nsignatures .*ML-DSA-65.*\nAEADs .*AES-256-GCM")
        for args in (["--version"], ["-v"], ["-V"]):
            done = qsp(*args)
            self.assertEqual((done.returncode, done.stdout), (0, version))
        self.assertEqual(json.loads(qsp("-V", "--json").stdout), json.loads(qsp("version", "--json").stdout))
        for asked, verb in ((["help"], []), (["help", "serve"], ["serve"]), (["help", "kme", "load"], ["kme", "load"]),
                            (["kme", "help", "load"], ["kme", "load"]), (["help", "e91"], ["e91"])):
            done = qsp(*asked)
            self.assertEqual((done.returncode, done.stdout.decode()), (0, help_of(*verb)), asked)
        self.assert_usage(["help", "conect"], "did you mean connect")
        self.assertEqual(qsp("-h").stdout, qsp("--help").stdout)

    def test_the_cryptographic_library_is_chosen(self):
        def version(*args, provider=None):
            env = {name: value for name, value in os.environ.items() if name != "QSP_PROVIDER"}
            return qsp("version", *args, env=env if provider is None else env | {"QSP_PROVIDER": provider})

        whole = json.loads(version("--json").stdout)
        self.assertEqual(whole["provider"], "auto")
        self.assertEqual(whole["awslc"], "AWS-LC" in whole["crypto"])
        self.assertEqual(b"AWS-LC is not in this program" in version().stdout, not whole["awslc"])
        done = [name for served in whole["libraries"] for name in served["algorithms"]]
        self.assertEqual(sorted(done), sorted(whole["kems"] + whole["signatures"] + whole["aeads"] + ["HKDF", "random", "keystream"]))
        openssl = version("--provider", "openssl").stdout
        self.assertRegex(openssl, rb"^qsp \S+ with OpenSSL 3\.\S+\n")
        for done in (version(provider="openssl"), version("--provider", "openssl", provider="auto"), version("--provider=openssl", provider="x"),
                     version("--options", self.write("o.toml", 'provider = "openssl"\n'), provider="auto")):
            self.assertEqual((done.returncode, done.stdout), (0, openssl))
        for name in ("auto", ""):
            self.assertEqual(json.loads(version("--json", provider=name).stdout), whole)

    def test_a_cryptographic_library_that_is_not_there_is_refused(self):
        self.assert_usage(["version", "--provider", "boringssl"], r"--provider.*auto.*openssl.*awslc")
        self.assert_usage(["version", "--provider", ""], r"--provider: is empty|--provider.*auto.*openssl.*awslc")
        env = dict(os.environ)
        for name, told in (("OpenSSL", r"QSP_PROVIDER 'OpenSSL': .*auto, openssl or awslc"), ("\x1b[31m", r"QSP_PROVIDER '\\x1b\[31m'")):
            self.assert_fails(qsp("version", env=env | {"QSP_PROVIDER": name}), told, code=2)
        if json.loads(qsp("version", "--json").stdout)["awslc"]:
            return
        for verb in (["version"], ["keygen", "--out", "k"], ["bench", "seal"]):
            self.assert_usage([*verb, "--provider", "awslc"], r"--provider 'awslc': .*without AWS-LC: run \./dev setup")
        self.assert_fails(qsp("version", env=env | {"QSP_PROVIDER": "awslc"}), r"QSP_PROVIDER 'awslc': .*\./dev setup", code=2)

    def test_a_port_alone_is_no_address(self):
        key = ("--key", self.world.path("bob.key"), "--peers", self.world.path("bob.toml"))
        self.assert_usage(["serve", *key, "--listen", "7155"], r"7155 is a port without a host: write 127\.0\.0\.1:7155")

    def test_a_public_key_for_a_private_one(self):
        public = self.world.path("bob.key.pub")
        self.assert_fails(qsp("serve", "--key", public, "--peers", self.world.path("bob.toml")), r"bob\.key\.pub: holds a public key where a private key belongs")

    def test_times_and_sizes_have_units_and_bounds(self):
        target = ["connect", "localhost:1", "--profile", "rc155", "--insecure"]
        for args, told in (
            (["--window", "64k"], "--window: takes a size: .*such as 64K or 2G, not '64k'"),
            (["--window", "1K"], "--window: takes a size from 65535 to 1G|--window: takes a size from 64K to 1G"),
            (["--rekey-interval", "5x"], "--rekey-interval: takes a time: .*500ms.*not '5x'"),
            (["--rekey-timer", "400d"], "--rekey-timer: takes a time from 1ns to 365d, not '400d'"),
            (["--rekey-bytes", "0"], "--rekey-bytes: takes a size from 1 to"),
        ):
            self.assert_usage([*target, *args], told)
        for args in (["--window", "64K"], ["--window", "65536"], ["--rekey-interval", "500ms"], ["--rekey-interval", "2m"],
                     ["--rekey-interval", "0.5"], ["--rekey-timer", "1h"], ["--rekey-bytes", "2G"]):
            self.assert_fails(qsp(*target, *args), "refused the connection|cannot connect")
        done = json.loads(qsp("bench", "seal", "--size", "1K", "--size", "64", "--bytes", "64K", "--json").stdout)
        self.assertEqual([row["size"] for row in done["rows"]], [1024, 64])

    def test_an_sae_id_that_is_missing_is_asked_for(self):
        self.world.pin("required.toml", name="bob", serve=True, qkd="required", sae_id="SAE-bob")
        self.assert_fails(self.world.connect(1, peers="required.toml"), r"required\.toml: peer 'bob' is pinned with QKD, which needs --sae-id ID", code=2)
        key = ("--key", self.world.path("bob.key"), "--peers", self.world.path("bob.toml"))
        self.assert_usage(["serve", *key, "--qkd", "required"], "--qkd required needs --sae-id ID")
        self.assert_usage(["serve", *key, "--rekey-timer", "10s"], "--rekey-timer: takes 1m or more")


class OptionFiles(Usage):
    KEY = ("--profile", "rc155", "--insecure")

    def test_mistakes_are_named_with_file_and_line(self):
        for text, told in (
            ('listen = "127.0.0.1:0"\nthread = 2\n', r"o\.toml:2:\d+: qsp serve has no option 'thread' for a file; did you mean --threads\?"),
            ('\n\nthreads = 0\n', r"o\.toml:3:\d+: threads: "),
            ('threads = \n', r"o\.toml:1:\d+: "),
            ('listen = 127.0.0.1\n', r"o\.toml:1:\d+: "),
            ('[group]\nthreads = 1\n', r"o\.toml:1:2: group: takes options only, one a line, and a table is named after a verb; qsp has no command 'group'"),
            ('[srve]\n', r"o\.toml:1:2: srve: .*qsp has no command 'srve'; did you mean serve\?"),
            ('[[serve]]\nthreads = 1\n', r"o\.toml:1:3: serve: takes options only"),
            ('[serve]\nthread = 1\n', r"o\.toml:2:1: qsp serve has no option 'thread' for a file; did you mean --threads\?"),
            ('[connect]\npear = "bob"\n', r"o\.toml:2:1: qsp connect has no option 'pear' for a file; did you mean --peer\?"),
            ('[serve]\noptions = "other.toml"\n', r"o\.toml:2:1: .*no option 'options'"),
            ('[serve]\njson = "on"\n', r"o\.toml:2:1: json: takes true or false"),
            ('threads = 1\n[serve]\nthreads = 2\n', r"o\.toml:3:1: threads: is at .*o\.toml:1:1 too; remove one"),
            ('[kme.srve]\n', r"o\.toml:1:6: srve: .*qsp kme has no command 'srve'; did you mean serve\?"),
            ('# a file\noptions = "other.toml"\n', r"o\.toml:2:\d+: .*no option 'options'"),
            ('rekey-interval = "5x"\n', r"o\.toml:1:\d+: rekey-interval: takes a time"),
        ):
            with self.subTest(text=text):
                self.assert_usage(["serve", *self.KEY, "--options", self.write("o.toml", text)], told)
        self.assert_usage(["serve", *self.KEY, "--options", "/nowhere/o.toml"], r"/nowhere/o\.toml")
        self.assert_usage(["serve", *self.KEY, "--options=" + self.write("big.toml", "#" * 70_000)], r"big\.toml")

    def test_a_flag_is_true_or_false_and_nothing_else_is(self):
        for text, told in (
            ('light = "yes"\n', r"o\.toml:1:\d+: light: takes true or false, without quotes \(see: qsp serve --help\)"),
            ('\nlight = "true"\n', r"o\.toml:2:\d+: light: takes true or false, without quotes"),
            ("light = 1\n", r"o\.toml:1:\d+: light: takes true or false"),
            ("light = [true]\n", r"o\.toml:1:\d+: light: takes options only, one a line: true, false, a text"),
            ('json = "on"\n', r"o\.toml:1:\d+: json: takes true or false"),
            ("threads = true\n", r"o\.toml:1:\d+: threads: takes a value, not true or false"),
            ("listen = false\n", r"o\.toml:1:\d+: listen: takes a value, not true or false"),
        ):
            with self.subTest(text=text):
                self.assert_usage(["serve", *self.KEY, "--options", self.write("o.toml", text)], told)
        for text, wanted in (("json = true\n", b"{"), ("json = false\n", b"qsp ")):
            self.assertTrue(qsp("version", "--options", self.write("o.toml", text)).stdout.startswith(wanted))

    def test_a_table_holds_the_options_of_the_verb_that_it_is_named_after(self):
        text = '[version]\njson = true\n\n[keygen]\nalg = "ML-DSA-44"\n\n[kme.load]\npairs = 5\n'
        self.assertTrue(qsp("version", "--options", self.write("o.toml", text)).stdout.startswith(b"{"))
        for other in ("[keygen]\njson = true\n", "[kme]\njson = true\n", "[kme.load]\njson = true\n"):
            self.assertTrue(qsp("version", "--options", self.write("o.toml", other)).stdout.startswith(b"qsp "), other)
        file = self.write("o.toml", 'threads = 2\n[serve]\nlisten = "nonsense nonsense"\n')
        with process(QSP, "serve", *self.KEY, "--options", file, "--listen", "127.0.0.1:0") as (running, _):
            self.assertIn("listening on 127.0.0.1:", first_line(running))
        self.assert_usage(["serve", *self.KEY, "--options", file], "address")

    def test_the_command_line_goes_before_the_file(self):
        file = self.write("o.toml", 'listen = "nonsense nonsense"\nthreads = 2\n')
        with process(QSP, "serve", *self.KEY, "--options", file, "--listen", "127.0.0.1:0") as (running, _):
            self.assertIn("listening on 127.0.0.1:", first_line(running))
        self.assert_usage(["serve", *self.KEY, "--options", file], "address")

    def test_config_as_a_file_of_options_goes_on_with_a_warning(self):
        file = self.write("o.toml", 'listen = "127.0.0.1:0"\n')
        with process(QSP, "serve", *self.KEY, "--config", file) as (running, log):
            self.assertIn("listening on 127.0.0.1:", first_line(running))
            self.assertIn("qsp: warning: --config is now called --options; the old name goes with the next version", log())

    def test_every_verb_takes_a_file(self):
        done = qsp("version", "--options", self.write("o.toml", "json = true\n"))
        self.assertIn("qsp", json.loads(done.stdout))

    def test_an_old_name_in_a_file_is_warned_of_with_its_line(self):
        file = self.write("o.toml", '# x\nqkd-rekey-floor = 150\n')
        done = qsp("serve", "--key", self.world.path("bob.key"), "--peers", self.world.path("bob.toml"), "--options", file)
        self.assert_fails(done, "--qkd-rekey-max and .*give --kme URL too", code=2)
        self.assertRegex("\n".join(warnings(done)), r"o\.toml:2:\d+: --qkd-rekey-floor is now called --qkd-rekey-max")


class KeyFiles(Usage):
    """A file of another kind, or what is left of one: which kind belongs there, and what to do."""

    def test_are_told_apart_from_peers_files(self):
        whole = self.world.read("bob.key.pub").decode()
        self.write("empty.pub", "", 0o644)
        self.write("cut.pub", whole[:13], 0o644)
        self.write("half.pub", whole[:200], 0o644)
        at = self.world.path
        remedy = "give the .pub file that qsp keygen made"
        for file, told in (("empty.pub", "is empty where a key in PEM or a peers file belongs; copy it here again"),
                           ("cut.pub", "holds the rest of a key in PEM, cut off or damaged, where a key in PEM or a peers file belongs; copy it here again"),
                           ("half.pub", "damaged PEM block; copy it again from where qsp keygen made it")):
            self.assert_fails(qsp("fingerprint", at(file)), rf"{re.escape(at(file))}: .*{told}")
        for file, told in (("empty.pub", f"is empty where a public key in PEM belongs; {remedy}"),
                           ("cut.pub", f"cut off or damaged, where a public key in PEM belongs; {remedy}"),
                           ("half.pub", "damaged PEM block; copy it again from where qsp keygen made it"),
                           ("bob.toml", f"is a peers file where a public key in PEM belongs; {remedy}")):
            self.world.pin("peers.toml", name="bob", key_file=file, serve=True)
            self.assert_fails(self.world.connect(1, peers="peers.toml"), rf"peers\.toml:2:\d+: peer \"bob\", field \"key_file\": {re.escape(at(file))}: .*{told}")
        for file, told in (("bob.key.pub", "holds a public key where a peers file belongs; give one with a .*peer.* table for each peer"),
                           ("alice.key", "holds a private key where a peers file belongs; .*keep this one to yourself"),
                           ("cut.pub", "holds the rest of a key in PEM, cut off or damaged, where a peers file belongs"),
                           ("empty.pub", "holds no peer; add a .*peer.* table")):
            self.assert_fails(self.world.connect(1, peers=file), rf"{re.escape(at(file))}: {told}")
        for name, told in (("bob.toml", "is a peers file where a private key in PEM belongs"), ("empty.pub", "is empty where a private key in PEM belongs")):
            done = qsp("serve", "--key", at(name), "--peers", at("bob.toml"))
            self.assert_fails(done, rf"{re.escape(at(name))}: {told}; make one with: qsp keygen")


class OldNames(Usage):
    SIDE = ("https://127.0.0.1:1", "--sae-id", "alice", "--slave", "bob")

    def test_go_on_with_a_warning(self):
        for verb, more in (("check", ()), ("load", ("--slave-url", "https://127.0.0.1:1", "--slave-cert", "/n", "--slave-key", "/n"))):
            done = qsp("kme", verb, *self.SIDE, *more, "--cert", "/n", "--key=/n", "--ca", "/n", "--server-name", "x", "--tls12")
            self.assert_fails(done, "/n")
            said = "\n".join(warnings(done))
            for old, now in (("cert", "kme-cert"), ("key", "kme-key"), ("ca", "kme-ca"), ("server-name", "kme-name"), ("tls12", "kme-tls12")):
                self.assertIn(f"--{old} is now called --{now};", said)
            renamed = qsp("kme", verb, *self.SIDE, *more, "--kme-cert", "/n", "--kme-key=/n", "--kme-ca", "/n", "--kme-name", "x", "--kme-tls12")
            self.assertEqual((renamed.returncode, error_lines(renamed), warnings(renamed)), (1, error_lines(done), []))

    def test_a_value_is_not_taken_for_an_old_name(self):
        done = qsp("kme", "import", "https://127.0.0.1:1", "a-b", "/n", "--kme-cert", "--key", "--kme-key", "/n", "--kme-ca", "/n")
        self.assertEqual((done.returncode, warnings(done)), (1, []))

    def test_milliseconds_stay_milliseconds(self):
        done = qsp("kme", "inject", "/nowhere/kme.toml", "--latency-ms", "60000", "--clock-offset-ms", "-5")
        self.assert_fails(done, "/nowhere/kme.toml")
        self.assertEqual(len(warnings(done)), 2)
        for verb, option in (("connect", "--account"), ("serve", "--exec"), ("serve", "--kme-crl"), ("keygen", "--passphrase-file"),
                             ("fingerprint", "--expect"), ("version", "--options")):
            self.assert_usage([verb, option, ""], rf"{option}: is empty .a variable that is not set")
        for verb in ("connect", "keygen", "version"):
            for asked in ("-v", "-V", "--version"):
                self.assert_usage([verb, asked], f"qsp {verb} has no option {asked}")
        self.assert_usage(["e91", "run", "--dead-time", "2s"], "--dead-time: takes a time from 0s to 1s, not '2s'")
        self.assert_usage(["kme", "inject", "/nowhere/kme.toml", "--latency", "61s"], "--latency: takes a time from 0s to 1m, not '61s'")

    def test_a_kme_names_its_configuration_and_reads_old_fields(self):
        with tempfile.TemporaryDirectory() as folder:
            lab = os.path.join(folder, "lab")
            self.assert_succeeds(qsp("kme", "lab", lab, "--port", str(free_ports(4))))
            config = os.path.join(lab, "kme-a", "kme.toml")
            with open(config, encoding="utf-8") as file:
                text = file.read()
            with open(config, "w", encoding="utf-8") as file:
                file.write("allow_tls_1_2 = true\n" + text.replace("key_life = 3600", 'key_life = "2h"').replace("admin_port", "#"))
            with process(QSP, "kme", "serve", "--config", config, "--json") as (running, log):
                self.assertEqual(json.loads(first_line(running))["event"], "listening", log())
                self.assertRegex(log(), r'warning .*kme\.toml:1:1: field "allow_tls_1_2" is now called "tls12"')
            with open(config, "w", encoding="utf-8") as file:
                file.write("tls12 = true\n" + text.replace("key_life = 3600", 'key_life = "2y"'))
            self.assert_fails(qsp("kme", "serve", config), r'kme\.toml:\d+:\d+: a link, field "key_life": takes whole seconds, or a text such as')
            self.assert_fails(qsp("kme", "status", "--config", config), r"kme\.toml:\d+:\d+: ")


class Strangers(Usage):
    """Who was at the other end is told here, and there nothing more than before."""

    @staticmethod
    def fingerprint(file):
        return json.loads(qsp("fingerprint", file, "--json").stdout)["keys"][0]["fingerprint"]

    def test_a_wrong_pin_is_told_with_both_fingerprints(self):
        self.world.pin("deceived.toml", name="bob", key_file="mallory.key.pub", serve=True)
        pinned, presented = (self.fingerprint(self.world.path(f"{name}.key.pub")) for name in ("mallory", "bob"))
        with self.world.server() as (port, _, _):
            done = self.world.connect(port, peers="deceived.toml")
        self.assert_fails(done, f"the server presented {presented}, but 'bob' is pinned as {pinned}; compare")

    def test_the_servers_log_says_who_called(self):
        presented = self.fingerprint(self.world.path("mallory.key.pub"))
        with self.world.server() as (port, _, log):
            done = self.world.connect(port, key="mallory")
            self.assert_fails(done, "refused the session .HANDSHAKE_FAILED.:")
            self.assertNotIn("qsp1:", done.stderr.decode())
            wait_until(lambda: "caller presented" in log(), "who called")
            self.assertRegex(log(), rf"connection of 127\.0\.0\.1:\d+ closed before it was a session: HANDSHAKE_FAILED: .*, the caller presented {presented}, which is not pinned\n")
        self.world.pin("roles.toml", name="mallory", serve=True)
        with open(self.world.path("roles.toml"), "ab") as file:
            file.write(b'[[peer]]\nname = "alice"\nkey_file = "alice.key.pub"\nconnect = true\n')
        with self.world.server(peers="roles.toml") as (port, _, log):
            self.assert_fails(self.world.connect(port, key="mallory"), "refused the session .HANDSHAKE_FAILED.:")
            wait_until(lambda: "caller presented" in log(), "who called")
            self.assertRegex(log(), rf"presented {presented}, pinned as 'mallory', who may not connect")

    def test_peer_is_a_name_and_address_an_address(self):
        with self.world.server("--json") as (port, running, _):
            self.assert_succeeds(self.world.connect(port, stdin=b"hello\n"))
            self.assert_fails(self.world.connect(port, key="mallory"), "refused")
            events = [json.loads(running.stdout.readline()) for _ in range(3)]
            self.assertEqual([event["event"] for event in events], ["established", "closed", "strangers"])
            for event in events:
                self.assertRegex(event["address"], r"^127\.0\.0\.1:\d+$")
            self.assertEqual([event.get("peer") for event in events], ["alice", "alice", None])


main()
