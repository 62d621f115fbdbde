using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json;
using Router.Tests.Tidy;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Unix sockets with clients that know nothing of the router: socat and python3.</summary>
[UnsupportedOSPlatform("windows")]
[Collection(ProgramTests.Name)]
public sealed class UnixTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Nobody = 65_534;

    private const string OwnHandler =
        """
        router.routes.own { type = handler, class = "Router.Tests.Functional.CrashingHandler, Router.Tests" }
        """;

    /// <summary>What python needs to talk to a unix socket: <c>connect(kind, path, own name)</c>, and <c>take</c>,
    /// which tells an empty message ("") from the end ("END").</summary>
    private const string Prelude =
        """
        import os, socket, sys, time
        S, P, G = socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM
        def make(kind, own=None):
            s = socket.socket(socket.AF_UNIX, kind); s.settimeout(10)
            if kind == P: s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            if own is not None: s.bind(own)
            return s
        def connect(kind, path, own=None):
            s = make(kind, own)
            for _ in range(500):   # until the router listens
                try: s.connect(path); return s
                except (FileNotFoundError, ConnectionRefusedError): time.sleep(0.02)
            s.connect(path)
        def serve(kind, path):
            s = make(kind, path)
            if kind != G: s.listen()
            return s
        def take(s):
            data, control, _, _ = s.recvmsg(100000, 100)
            return data.decode() if data or control else 'END'

        """;

    [RequiresToolFact(RequiredTools.Namespace, "socat", "python3")]
    public async Task The_example_serves_streams_messages_and_datagrams()
    {
        // A web server and the program behind the TCP port; each closes after its answer.
        await ServerAsync("tcp", 8080, "socat", "TCP4-LISTEN:8080,bind=127.0.0.1,fork", "SYSTEM:echo the web");
        var app = await ProgramAsync(
            "socat", $"UNIX-LISTEN:{At("app.sock")},fork", "SYSTEM:read line; echo app $line");
        await Until.TrueAsync(() => File.Exists(At("app.sock")), () => app.Error.ToString());
        var router = await RouterAsync(
            Repository.Read("hocon/examples/unix.conf").Replace("/run/router", Folder, StringComparison.Ordinal));
        await router.RecordAsync("listening", 4);

        Assert.Equal("the web", await ToolAsync(
            "socat", ["-t", "5", "-", $"UNIX-CONNECT:{At("web.sock")}"], ""));
        Assert.Equal("app hello", await ToolAsync("socat", ["-t", "5", "-", "TCP4:127.0.0.1:8081"], "hello\n"));
        Assert.Equal("a job", await ToolAsync(
            "socat", ["-t", "5", "-", $"UNIX-CONNECT:{At("jobs.sock")},type=5"], "a job"));
        Assert.StartsWith($"I hear you, unix:{At("me")}: 1 at ", await ToolAsync(
            "socat", ["-t", "1", "-", $"UNIX-SENDTO:{At("ask.sock")},bind={At("me")}"], "?"), StringComparison.Ordinal);
        Assert.StartsWith("I hear you, unix:@", await PythonAsync(
            "s = connect(G, '\\0router-ask', ''); s.send(b'?'); print(take(s))"), StringComparison.Ordinal);

        Assert.Equal(
            (UnixFileMode)Convert.ToInt32("660", 8), File.GetUnixFileMode(At("web.sock")));
        Assert.Equal(
            (UnixFileMode)Convert.ToInt32("666", 8), File.GetUnixFileMode(At("ask.sock")));
    }

    /// <summary>A unix socket tells its peer's orderly close as a hang-up.</summary>
    [RequiresToolTheory(RequiredTools.Namespace, "python3")]
    [InlineData(64)]
    [InlineData(0)]
    public async Task What_a_client_sent_before_it_closed_reaches_a_slow_upstream(int pipes)
    {
        var router = await RouterAsync(
            $$"""
            router.splice.pipes = {{pipes}}
            router.listeners.x { bind = "unix://{{At("x.sock")}}", route = x }
            router.routes.x { type = proxy, upstreams = ["127.0.0.1:48001"] }
            """);

        var received = await PythonAsync(
            $$"""
            l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(('127.0.0.1', 48001)); l.listen()
            c = connect(S, '{{At("x.sock")}}')
            if os.fork() == 0:
                c.sendall(b'x' * 1000000); c.close(); os._exit(0)
            c.close()
            u, _ = l.accept(); u.settimeout(10); os.wait()
            got = 0
            while (piece := u.recv(65536)): got += len(piece)
            print(got)
            """);

        Assert.Equal("1000000", received);
        var closed = await router.RecordAsync("session-closed");
        Assert.Equal("peer", closed.GetProperty("reason").GetString());
    }

    [RequiresToolFact(RequiredTools.Namespace, "python3")]
    public async Task Messages_pass_a_proxy_whole_and_an_empty_one_is_not_the_end()
    {
        await RouterAsync(Proxy("unixpacket", "unixpacket"));

        Assert.Equal(
            ["one", "", "three", "END", "answer", "", "END"],
            await LinesAsync(
                $"""
                u = serve(P, '{At("up")}'); c = connect(P, '{At("s")}'); a, _ = u.accept()
                for m in (b'one', b'', b'three'): c.send(m)
                c.shutdown(socket.SHUT_WR)
                for _ in range(4): print(take(a))
                a.send(b'answer'); a.send(b''); a.close()
                for _ in range(3): print(take(c))
                """));
    }

    [RequiresToolTheory(RequiredTools.Namespace, "python3")]
    [InlineData("unixpacket", "unixgram")]
    [InlineData("unixgram", "unixgram")]
    [InlineData("unixgram", "unixpacket")]
    public async Task Messages_pass_between_kinds_that_keep_them(string from, string to)
    {
        await RouterAsync(Proxy(from, to));

        // An upstream without connections learns who asks by the message itself.
        var server = to == "unixgram"
            ? """
              def hear():
                  global who
                  m, _, _, who = u.recvmsg(1000); return m.decode()
              def say(m): u.sendto(m, who)
              """
            : """
              a = None
              def hear():
                  global a
                  if a is None: a, _ = u.accept()
                  return take(a)
              def say(m): a.send(m)
              """;
        Assert.Equal(
            ["one", "", "back", ""],
            await LinesAsync(
                $"""
                u = serve({KindOf(to)}, '{At("up")}')
                {server.ReplaceLineEndings("\n")}
                c = connect({KindOf(from)}, '{At("s")}', {(from == "unixgram" ? "''" : "None")})
                c.send(b'one'); print(hear()); c.send(b''); print(hear())
                say(b'back'); print(take(c)); say(b''); print(c.recv(10).decode())
                """));
    }

    [RequiresToolFact(RequiredTools.Namespace, "python3")]
    public async Task A_slow_reader_of_messages_gets_them_all_and_stops_the_sender()
    {
        await RouterAsync(Proxy("unixpacket", "unixpacket"));

        Assert.Equal(
            ["stopped", "500 True"],
            await LinesAsync(
                $"""
                u = serve(P, '{At("up")}'); c = connect(P, '{At("s")}'); a, _ = u.accept(); a.settimeout(10)
                c.setblocking(False); sent = 0
                import select
                while sent < 500:
                    if not select.select([], [c], [], 1)[1]: break
                    try: c.send(b'%05d' % sent + bytes(20000)); sent += 1
                    except BlockingIOError: pass
                print('stopped' if sent < 500 else 'not stopped')
                import threading
                def rest():
                    c.setblocking(True)
                    for i in range(sent, 500): c.send(b'%05d' % i + bytes(20000))
                    c.shutdown(socket.SHUT_WR)
                t = threading.Thread(target=rest); t.start()
                got = []
                while True:
                    m = a.recv(100000)
                    if not m: break
                    got.append(m)
                t.join()
                print(len(got), all(len(m) == 20005 and int(m[:5]) == i for i, m in enumerate(got)))
                """));
    }

    [RequiresToolFact(RequiredTools.Namespace, "python3")]
    public async Task Bulk_passes_from_TCP_to_a_unix_stream_and_back()
    {
        await RouterAsync(Proxy("unix", "unix").Replace(
            "bind = [", "bind = [\"tcp://127.0.0.1:47001\", ", StringComparison.Ordinal));

        Assert.Equal(
            ["True True", "True True"],
            await LinesAsync(
                $$"""
                import threading
                u = serve(S, '{{At("up")}}')
                def once(c):
                    c.settimeout(20); a, _ = u.accept(); there = os.urandom(8000000); back = os.urandom(3000000)
                    def push(s, b): s.sendall(b); s.shutdown(socket.SHUT_WR)
                    def pull(s):
                        got = b''
                        while True:
                            b = s.recv(1 << 20)
                            if not b: return got
                            got += b
                    ts = [threading.Thread(target=push, args=(c, there)), threading.Thread(target=push, args=(a, back))]
                    r = []
                    ts.append(threading.Thread(target=lambda: r.append(pull(a) == there)))
                    for t in ts: t.start()
                    ok = pull(c) == back
                    for t in ts: t.join()
                    print(r[0], ok)
                once(socket.create_connection(('127.0.0.1', 47001)))
                once(connect(S, '{{At("s")}}'))
                """));
    }

    [RequiresToolFact(RequiredTools.Namespace, "python3")]
    public async Task Messages_that_are_too_long_and_senders_without_a_name_are_counted_and_said()
    {
        var router = await RouterAsync(Echo(["unixpacket", "unixgram"]) + "\nrouter.log.stats-interval = 1s");
        await router.RecordAsync("listening", 1);

        await PythonAsync(
            $"""
            c = connect(P, '{At("unixpacket")}'); c.send(bytes(65537)); c.send(b'next'); assert take(c) == 'next'
            g = connect(G, '{At("unixgram")}', ''); g.send(bytes(65537)); g.send(b'next'); assert take(g) == 'next'
            n = socket.socket(socket.AF_UNIX, G); n.connect('{At("unixgram")}'); n.send(b'nobody'); n.send(b'')
            """);

        var closed = await router.RecordAsync("session-closed");
        Assert.Equal("truncated=1", closed.GetProperty("drop-reasons").GetString());
        var drops = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var drop = await router.RecordAsync("drops", i);
            drops.Add($"{drop.GetProperty("listener")} {drop.GetProperty("reason")} {drop.GetProperty("count")}");
        }

        Assert.Equal(
            ["l truncated 2", "l unnamed-peer 2"],
            drops.Order(StringComparer.Ordinal));
    }

    [RequiresToolFact(RequiredTools.Namespace, "python3")]
    public async Task The_record_says_who_the_peer_was_by_the_kernels_word()
    {
        var router = await RouterAsync(Echo(["unix", "unixpacket", "unixgram"]) + "\nrouter.log.level = debug");
        await router.RecordAsync("listening", 2);
        File.SetUnixFileMode(Folder, (UnixFileMode)Convert.ToInt32("755", 8));

        await PythonAsync(
            $"""
            os.setgroups([]); os.setgid({Nobody}); os.setuid({Nobody})
            for k, n, own in ((S, 'unix', None), (P, 'unixpacket', None), (G, 'unixgram', '')):
                s = connect(k, '{Folder}/' + n, own); s.send(b'a'); assert take(s) == 'a'
            """);

        for (var i = 0; i < 3; i++)
        {
            AssertCredentials(await router.RecordAsync("session-opened", i));
        }

        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
        Assert.All(router.RecordsOf("session-closed"), AssertCredentials);
        Assert.Equal(
            ["unix", "unixgram", "unixpacket"],
            router.RecordsOf("session-closed").Select(static r => r.GetProperty("transport").GetString()).Order());
        Assert.Empty(Directory.GetFiles(Folder, "unix*"));   // the files are gone with the router
    }

    [RequiresToolFact(RequiredTools.Namespace, "python3")]
    public async Task Descriptors_that_are_sent_along_do_not_stay()
    {
        var router = await RouterAsync(Echo(["unix", "unixpacket", "unixgram"]));
        await router.RecordAsync("listening", 2);

        Assert.Equal("closed closed closed", await PythonAsync(
            $"""
            out = []
            for k, n, own in ((S, 'unix', None), (P, 'unixpacket', None), (G, 'unixgram', '')):
                s = connect(k, '{Folder}/' + n, own); r, w = os.pipe()
                socket.send_fds(s, [b'a'], [r]); assert take(s) == 'a'; os.close(r)
                try: os.write(w, b'x'); out.append('kept')
                except BrokenPipeError: out.append('closed')
            print(*out)
            """));
    }

    [RequiresToolTheory(RequiredTools.Namespace, "python3")]
    [InlineData("unix", "UNIX")]
    [InlineData("unixpacket", "UNIXPACKET")]
    [InlineData("unixgram", "UNIXGRAM")]
    public async Task A_child_is_told_who_its_peer_is(string scheme, string proto)
    {
        var router = await RouterAsync(Listener(scheme, "exec")
            + """
              router.routes.exec { type = exec, command = ["/usr/bin/env"] }
              """);
        await router.RecordAsync("listening");

        var facts = await LinesAsync(
            $$"""
            s = connect({{KindOf(scheme)}}, '{{At(scheme)}}', '\0it\'s me')
            if {{KindOf(scheme)}} == G: s.send(b'go')
            got = ''
            while 'SESSION_ID' not in got: got += take(s) + '\n'
            print(got); print('MINE=%d' % os.getpid())
            """);

        Assert.Contains($"PROTO={proto}", facts);
        Assert.Contains("REMOTE_ADDR=@it's\\x20me", facts);
        Assert.Contains("REMOTE_UID=0", facts);
        Assert.Contains($"LOCAL_ADDR={At(scheme)}", facts);
        var mine = facts.Single(static fact => fact.StartsWith("MINE=", StringComparison.Ordinal))["MINE=".Length..];
        Assert.Contains($"REMOTE_PID={mine}", facts);
        Assert.DoesNotContain(facts, static fact => fact.StartsWith("REMOTE_PORT", StringComparison.Ordinal));
    }

    [RequiresToolFact(RequiredTools.Namespace, "python3")]
    public async Task A_room_joins_all_kinds()
    {
        var router = await RouterAsync(
            $$"""
            router {
              listeners.l {
                bind = ["unix://{{At("unix")}}", "unixpacket://{{At("unixpacket")}}", "unixgram://{{At("unixgram")}}"]
                route = room
              }
              routes.room { type = room, join = first-payload }
            }
            """);
        await router.RecordAsync("listening", 2);

        Assert.Equal(
            ["unix hears packet", "unixgram hears packet", "unixpacket hears stream", "unixgram hears stream"],
            await LinesAsync(
                $"""
                s = connect(S, '{At("unix")}'); p = connect(P, '{At("unixpacket")}')
                g = connect(G, '{At("unixgram")}', '')
                for each in (s, p, g): each.send(b'blue\n')
                def say(who, m, hear):
                    # Joining is not acknowledged: said again until it is heard.
                    for each, name in hear:
                        each.settimeout(0.2)
                        while True:
                            try:
                                if each.recv(100).strip() == m: break
                            except TimeoutError: who.send(m + b'\n')
                        print(name, 'hears', m.decode())
                p.send(b'packet\n'); say(p, b'packet', ((s, 'unix'), (g, 'unixgram')))
                s.send(b'stream\n'); say(s, b'stream', ((p, 'unixpacket'), (g, 'unixgram')))
                """));
    }

    [RequiresToolFact(RequiredTools.Namespace, "python3")]
    public async Task What_is_collected_names_its_sender()
    {
        var router = await RouterAsync(
            $$"""
            router {
              listeners.l {
                bind = ["unix://{{At("unix")}}", "unixpacket://{{At("unixpacket")}}", "unixgram://{{At("unixgram")}}"]
                route = lines
              }
              routes.lines { type = collect, per = listener, window = 200ms, to = file, file.path = "{{At("lines")}}" }
            }
            """);
        await router.RecordAsync("listening", 2);

        await PythonAsync(
            $"""
            for k, n in ((S, 'unix'), (P, 'unixpacket'), (G, 'unixgram')):
                s = connect(k, '{Folder}/' + n, '\0me-' + n); s.send(n.encode())
                if k != G: s.shutdown(socket.SHUT_WR); take(s)
            """);

        await Until.TrueAsync(
            () => File.Exists(At("lines")) && File.ReadAllLines(At("lines")).Length == 3, () => "three lines");
        Assert.Equal(
            ["unix from unix:@me-unix", "unixgram from unix:@me-unixgram", "unixpacket from unix:@me-unixpacket"],
            (await File.ReadAllLinesAsync(At("lines")))
                .Select(static line => JsonDocument.Parse(line).RootElement)
                .Select(static line => $"{line.GetProperty("text")} from {line.GetProperty("peer")}")
                .Order(StringComparer.Ordinal));
    }

    [RequiresToolTheory(RequiredTools.Namespace, "python3")]
    [InlineData("unix")]
    [InlineData("unixgram")]
    public async Task A_handler_on_the_pool_answers(string scheme)
    {
        await RouterAsync(Listener(scheme, "own").Replace(
            "route = own", "route = own, session.dispatcher = pool", StringComparison.Ordinal)
            + OwnHandler);

        Assert.Equal(
            ["hello", "again"],
            await LinesAsync(
                $"""
                s = connect({KindOf(scheme)}, '{At(scheme)}', '\0pool')
                for m in (b'hello', b'again'): s.send(m); print(take(s))
                """));
    }

    [RequiresToolTheory(RequiredTools.Namespace, "python3")]
    [InlineData("unixpacket")]
    [InlineData("unixgram")]
    public async Task A_handler_that_fails_on_a_message_is_replaced_and_the_session_goes_on(string scheme)
    {
        var router = await RouterAsync(Listener(scheme, "own")
            + OwnHandler);

        Assert.Equal(
            ["one", "two"],
            await LinesAsync(
                $"""
                s = connect({KindOf(scheme)}, '{At(scheme)}', '\0me')
                s.send(b'one'); print(take(s)); s.send(b'crash'); s.send(b'two'); print(take(s))
                """));
        var restarted = await router.RecordAsync("session-restarted");
        Assert.Equal("unix:@me", restarted.GetProperty("peer").GetString());
    }

    private static void AssertCredentials(JsonElement record)
    {
        Assert.Equal(Nobody, record.GetProperty("peer-uid").GetInt32());
        Assert.Equal(Nobody, record.GetProperty("peer-gid").GetInt32());
        Assert.InRange(record.GetProperty("peer-pid").GetInt32(), 2, int.MaxValue);
    }

    private static string KindOf(string scheme) =>
        scheme == "unix" ? "S" : scheme == "unixpacket" ? "P" : "G";

    private string At(string name) => Path.Combine(Folder, name);

    private string Listener(string scheme, string route) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        router.listeners.l { bind = ["{{scheme}}://{{At(scheme)}}"], route = {{route}} }

        """);

    private string Echo(IEnumerable<string> schemes) =>
        $$"""
        router {
          listeners.l {
            bind = [{{string.Join(", ", schemes.Select(scheme => $"\"{scheme}://{At(scheme)}\""))}}]
            route = echo, unix.mode = "0666"
          }
          routes.echo { type = echo }
        }
        """;

    private string Proxy(string from, string to) =>
        $$"""
        router {
          listeners.l { bind = ["{{from}}://{{At("s")}}"], route = up }
          routes.up { type = proxy, upstreams = ["{{to}}://{{At("up")}}"] }
        }
        """;

    private Task<string> PythonAsync(string code) => ToolAsync("python3", ["-c", Prelude + code]);

    private async Task<string[]> LinesAsync(string code)
    {
        return (await PythonAsync(code)).Split('\n');
    }
}
