using System.Globalization;

namespace Router.Tests.Functional;

/// <summary>What the kernel tells about a process and its network: proc(5).</summary>
internal readonly record struct ProcFiles(int Pid)
{
    private string Root => "/proc/" + Pid.ToString(CultureInfo.InvariantCulture);

    /// <summary>Open descriptors, all that count for RLIMIT_NOFILE.</summary>
    public int Descriptors => Directory.GetFileSystemEntries(Root + "/fd").Length;

    /// <summary>Open descriptors but those of assemblies: the runtime keeps two for each that it loads, whenever code
    /// first needs it.</summary>
    public int DescriptorsHeld => Links().Count(static target => !target.EndsWith(".dll", StringComparison.Ordinal));

    /// <summary>Whether it has the file open.</summary>
    public bool Holds(string path) => Links().Contains(path, StringComparer.Ordinal);

    /// <summary>CPU time of all threads that live, in nanoseconds: finer than the clock ticks of stat.</summary>
    public long CpuNanoseconds => Directory.GetDirectories(Root + "/task").Sum(task =>
    {
        try
        {
            return long.Parse(File.ReadAllText(task + "/schedstat").Split(' ')[0], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;   // the thread ended meanwhile
        }
    });

    /// <summary>Bytes it read so far, from files, pipes and sockets alike.</summary>
    public long BytesRead
    {
        get
        {
            const string Key = "rchar:";
            var line = File.ReadLines(Root + "/io").First(line => line.StartsWith(Key, StringComparison.Ordinal));
            return long.Parse(line[Key.Length..], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Whether a signal has stopped every thread: one that still runs may accept a connection.</summary>
    public bool IsStopped => Directory.GetDirectories(Root + "/task").All(static task =>
    {
        var stat = File.ReadAllText(task + "/stat");
        return stat[stat.LastIndexOf(')') + 2] == 'T';
    });

    /// <summary>A counter of the whole namespace, such as ("Udp", "InDatagrams").</summary>
    public long Counter(string protocol, string name)
    {
        var rows = File.ReadLines(Root + "/net/snmp")
            .Where(line => line.StartsWith(protocol + ":", StringComparison.Ordinal))
            .Select(line => line.Split(' '))
            .ToList();
        return long.Parse(rows[1][Array.IndexOf(rows[0], name)], CultureInfo.InvariantCulture);
    }

    /// <summary>Whether the process has a handler for the signal, see proc(5).</summary>
    public bool Catches(int signal)
    {
        const string Key = "SigCgt:";
        var line = File.ReadLines(Root + "/status").First(line => line.StartsWith(Key, StringComparison.Ordinal));
        return (Convert.ToUInt64(line[Key.Length..].Trim(), 16) >> (signal - 1) & 1) != 0;
    }

    /// <summary>Whether a UDP socket is bound, or a TCP socket listens, on the port.</summary>
    public bool IsBound(string transport, int port)
    {
        const string Listens = "0A";
        var root = Root;
        var ending = string.Create(CultureInfo.InvariantCulture, $":{port:X4}");
        return new[] { "", "6" }
            .Select(family => $"{root}/net/{transport}{family}")
            .Where(File.Exists)
            .SelectMany(File.ReadLines)
            .Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => transport == "udp" || words[3] == Listens)
            .Any(words => words[1].EndsWith(ending, StringComparison.Ordinal));
    }

    /// <summary>Peers of the connected UDP sockets on an IPv4 port, in the kernel's own writing; one for each socket.
    /// </summary>
    public IReadOnlyList<string> ConnectedPeers(int port)
    {
        const string Connected = "01";
        var ending = string.Create(CultureInfo.InvariantCulture, $":{port:X4}");
        return
        [
            .. File.ReadLines(Root + "/net/udp")
                .Skip(1)
                .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words[1].EndsWith(ending, StringComparison.Ordinal) && words[3] == Connected)
                .Select(static words => words[2]),
        ];
    }

    /// <summary>What the descriptors point at; one that was closed since it was listed points at nothing.</summary>
    private IEnumerable<string> Links() => Directory.GetFileSystemEntries(Root + "/fd")
        .Select(static entry => new FileInfo(entry).LinkTarget)
        .OfType<string>();
}
