using System.Text;
using Router.Loop;
using Router.Net;
using Router.Processes;
using Router.Tests.Functional;

namespace Router.Tests.Processes;

/// <summary>Child processes of the system's own: what they are given, how they end.</summary>
/// <remarks>They run alone: descriptors of the whole process are counted.</remarks>
[Collection(FunctionalTests.Name)]
public sealed class LinuxProcessesTests
{
    private static readonly string[] Environment = ["PATH=/usr/bin:/bin", "ONE=two three"];

    [Fact]
    public void A_child_has_its_arguments_environment_and_directory_and_nothing_else()
    {
        using var rig = new ProcessRig(
            ["/bin/sh", "-c", "echo \"$0\" \"$1\"; env | sort; pwd", "$(id)", "a;b'c"], Environment, "/usr");
        var lines = rig.Output().Split('\n');

        Assert.Equal("$(id) a;b'c", lines[0]);
        Assert.Equal(["ONE=two three", "PATH=/usr/bin:/bin", "PWD=/usr", "/usr", ""], lines[1..]);
        Assert.Equal(new ProcessExit(0, 0), rig.Exit());
    }

    [Fact]
    public void A_child_has_descriptors_0_1_and_2_and_no_other()
    {
        // One that does not close itself on exec, as a host's libraries may open it.
        var leak = TestCalls.Duplicate(0);
        try
        {
            using var rig = new ProcessRig(["/bin/ls", "/proc/self/fd"], Environment);
            Assert.Equal("0\n1\n2\n3\n", rig.Output());   // 3 is the folder that ls reads
        }
        finally
        {
            _ = TestCalls.Close(leak);
        }
    }

    [Fact]
    public void A_child_has_its_own_group_and_the_systems_signals()
    {
        using var rig = new ProcessRig(
            ["/bin/grep", "-E", "^(Sig(Blk|Ign)|NSpgid|NSsid)", "/proc/self/status"], Environment);
        var lines = rig.Output().TrimEnd().Split('\n').Order(StringComparer.Ordinal).ToList();

        Assert.Equal(
            [$"NSpgid:\t{rig.Child.Id}", $"NSsid:\t{rig.Child.Id}", "SigBlk:\t0000000000000000"], lines[..3]);
        var ignored = Convert.ToUInt64(lines[3]["SigIgn:\t".Length..], 16);
        Assert.Equal(0UL, ignored & 0x7fff_ffff);   // SIGPIPE too; 32 and 33 are the C library's own
    }

    [Fact]
    public void Limits_hold_for_the_child()
    {
        using var rig = new ProcessRig(
            ["/bin/sh", "-c", "read line; ulimit -n; ulimit -t; ulimit -f; ulimit -v"], Environment,
            limits: new ProcessLimits(CpuSeconds: 7, MemoryBytes: 512 << 20, FileBytes: 1 << 20, OpenFiles: 64));
        rig.Send("go\n");
        Assert.Equal($"64\n7\n{(1 << 20) / 512}\n{512 << 10}\n", rig.Output());
    }

    [Fact]
    public void The_limit_of_its_users_processes_holds_for_the_child()
    {
        using var rig = new ProcessRig(
            ["/bin/sh", "-c", "read line; grep processes /proc/self/limits"], Environment,
            limits: new ProcessLimits(UserProcesses: 4_321));
        rig.Send("go\n");
        Assert.Equal(
            ["Max", "processes", "4321", "4321", "processes"],
            rig.Output().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void The_exit_status_and_the_signal_are_told()
    {
        using (var rig = new ProcessRig(["/bin/sh", "-c", "exit 42"], Environment))
        {
            Assert.Equal(new ProcessExit(42, 0), rig.Exit());
        }

        using (var rig = new ProcessRig(["/bin/sleep", "1000"], Environment))
        {
            rig.Child.Signal(ProcessSignal.Terminate);
            Assert.Equal(new ProcessExit(-1, 15), rig.Exit());
        }
    }

    [Fact]
    public void A_signal_reaches_the_whole_group()
    {
        using var rig = new ProcessRig(["/bin/sh", "-c", "sleep 1000 & echo $!; sleep 1000 & wait"], Environment);
        var grandchild = int.Parse(rig.OutputLine(), System.Globalization.CultureInfo.InvariantCulture);
        rig.Child.Signal(ProcessSignal.Kill);
        rig.Exit();
        rig.Until(() => !IsAlive(grandchild));
    }

    [Theory]
    [InlineData("/no/such/program", Errno.ENOENT)]
    [InlineData("/etc/passwd", Errno.EACCES)]
    [InlineData("/etc", Errno.EACCES)]
    public void What_cannot_be_started_says_why(string program, Errno errno)
    {
        using var rig = new ProcessRig([program], Environment, expected: errno);
        Assert.Equal(-(int)errno, rig.Result);
    }

    [Fact]
    public void A_directory_that_is_not_there_says_so()
    {
        using var rig = new ProcessRig(["/bin/true"], Environment, "/no/such/directory", expected: Errno.ENOENT);
        Assert.Equal(-(int)Errno.ENOENT, rig.Result);
    }

    [Fact]
    public unsafe void Messages_keep_their_boundaries_and_an_empty_one_is_not_the_end()
    {
        using var rig = new ProcessRig(["/bin/cat"], Environment, keepsBoundaries: true);
        var packets = rig.Child.Packets!;
        var buffer = stackalloc byte[65_536];
        foreach (var size in new[] { 1, 1_000, 65_507 })
        {
            Assert.Equal(size, packets.Send(buffer, size));
        }

        foreach (var size in new[] { 1, 1_000, 65_507 })
        {
            Assert.Equal(size, rig.Message(buffer, 65_536));
        }

        Assert.Equal(1_000, packets.Send(buffer, 1_000));
        Assert.Equal(-(int)Errno.EMSGSIZE, rig.Message(buffer, 10));
        Assert.Equal(-(int)Errno.EAGAIN, packets.Receive(buffer, 10));
        Assert.Equal(0, packets.Send(buffer, 0));   // which cat takes for the end of its input
        Assert.Equal(new ProcessExit(0, 0), rig.Exit());
        Assert.Equal(-(int)Errno.EPIPE, rig.Message(buffer, 10));
        Assert.Equal(-(int)Errno.EPIPE, packets.Send(buffer, 1));
    }

    [RequiresToolFact("python3")]
    public unsafe void An_empty_message_is_told_from_the_end()
    {
        const string Script =
            "import socket,sys; s=socket.socket(fileno=1); s.send(b''); s.send(b'x'); s.send(b'')";
        using var rig = new ProcessRig(["/usr/bin/env", "python3", "-c", Script],
            [$"PATH={System.Environment.GetEnvironmentVariable("PATH")}"], keepsBoundaries: true);
        var buffer = stackalloc byte[10];
        Assert.Equal(0, rig.Message(buffer, 10));
        Assert.Equal(1, rig.Message(buffer, 10));
        Assert.Equal(0, rig.Message(buffer, 10));
        Assert.Equal(-(int)Errno.EPIPE, rig.Message(buffer, 10));
    }

    [Fact]
    public void Nothing_of_a_child_is_left_over()
    {
        var process = new ProcFiles(System.Environment.ProcessId);
        var descriptors = process.DescriptorsHeld;
        int id;
        using (var rig = new ProcessRig(["/bin/sh", "-c", "echo said >&2"], Environment))
        {
            Assert.Equal("said\n", rig.Errors());
            rig.Exit();
            id = rig.Child.Id;
            Assert.True(Directory.Exists($"/proc/{id}"));   // not waited for before it is disposed of
            rig.Child.Dispose();
            Assert.False(Directory.Exists($"/proc/{id}"));
            Assert.Equal(0, NetworkProcesses.Of(rig.Network).Running);
        }

        Assert.InRange(process.DescriptorsHeld, 0, descriptors);
    }

    private static bool IsAlive(int id)
    {
        try
        {
            return !File.ReadAllText($"/proc/{id}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>One child on a loop that the test drives.</summary>
    private sealed class ProcessRig : IProcessReceiver, IDisposable
    {
        private const long PatienceMs = 20_000;

        private readonly IoLoop _loop;

        public ProcessRig(
            string[] command,
            string[] environment,
            string directory = "/",
            ProcessLimits? limits = null,
            bool keepsBoundaries = false,
            Errno expected = Errno.Success)
        {
            _loop = new IoLoop(0, Network, TimeProvider.System, new IoLoopOptions());
            var start = new ProcessStart(
                command, directory, environment, limits ?? new ProcessLimits(), keepsBoundaries);
            Assert.Equal(0, NetworkProcesses.Of(Network).Start(start, _loop, this, out var child));
            Child = child!;
            Until(() => Result is not null);
            Assert.Equal(-(int)expected, Result);
        }

        public INetwork Network { get; } = new LinuxNetwork();

        public ChildProcess Child { get; }

        public int? Result { get; private set; }

        public void OnStarted(ChildProcess child, int result) => Result = result;

        public unsafe void Send(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            fixed (byte* start = bytes)
            {
                Assert.Equal(bytes.Length, Child.Stream!.Send(start, bytes.Length));
            }
        }

        public unsafe string Output() => All(Child.Stream!.Receive, _ => false);

        public unsafe string OutputLine() => All(Child.Stream!.Receive, static text => text.EndsWith('\n')).TrimEnd();

        public unsafe string Errors() => All(Child.Errors!.Receive, _ => false);

        public unsafe int Message(byte* buffer, int capacity)
        {
            var result = -(int)Errno.EAGAIN;
            Until(() => (result = Child.Packets!.Receive(buffer, capacity)) != -(int)Errno.EAGAIN);
            return result;
        }

        public ProcessExit Exit()
        {
            Until(() => Child.Exit is not null);
            return Child.Exit!.Value;
        }

        public void Until(Func<bool> condition)
        {
            var start = TimeProvider.System.GetTimestamp();
            while (!condition())
            {
                Assert.True(
                    TimeProvider.System.GetElapsedTime(start).TotalMilliseconds < PatienceMs, "waited in vain");
                _loop.RunOnce(block: false);
            }
        }

        public void Dispose()
        {
            if (Result == 0 && Child.Exit is null)
            {
                Child.Signal(ProcessSignal.Kill);
                Exit();
            }

            Child.Stream?.Dispose();
            Child.Packets?.Dispose();
            Child.Dispose();
            _loop.Dispose();
        }

        private unsafe string All(Receiver receive, Func<string, bool> isEnough)
        {
            var bytes = new MemoryStream();
            var buffer = new byte[4_096];
            string Text() => Encoding.UTF8.GetString(bytes.ToArray());
            var received = 0;
            Until(() =>
            {
                fixed (byte* start = buffer)
                {
                    received = receive(start, buffer.Length);
                }

                bytes.Write(buffer, 0, Math.Max(0, received));
                return received == 0 || isEnough(Text());
            });
            return Text();
        }

        private unsafe delegate int Receiver(byte* buffer, int capacity);
    }
}

/// <summary>Descriptors as a library of the host might leave them.</summary>
internal static partial class TestCalls
{
    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "dup")]
    public static partial int Duplicate(int fd);

    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);
}
