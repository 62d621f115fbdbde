using System.Runtime.InteropServices;

namespace Router.Net;

/// <summary>
/// The classic BPF program of a group of sockets on one port: which of the first N gets a datagram, by its source. See
/// SO_ATTACH_REUSEPORT_CBPF in socket(7).
/// </summary>
/// <remarks>
/// Without it the kernel hashes over all of the group that are not connected, so that every socket that joins or leaves
/// moves peers, and one between its bind and its connect gets a share of everybody's. The program's result is an index
/// into the group in the order of binding (reuseport_select_sock). It computes its own hash: skb->hash, which a filter
/// can load, is 0 where no device gave one. The transport header lies before the data it is run on, so that it is read
/// relative to the network header.
/// </remarks>
internal static unsafe class ShardProgram
{
    private const int NetworkHeader = -0x10_0000;   // SKF_NET_OFF
    private const ushort LoadWord = 0x20, LoadHalf = 0x28, LoadHalfAtX = 0x48, LoadHeaderLengthToX = 0xb1;
    private const ushort Store = 0x02, LoadMemoryToX = 0x61;
    private const ushort AddX = 0x0c, Multiply = 0x24, ShiftRight = 0x74, Modulo = 0x94, ReturnA = 0x16;
    private const int IPv4Source = 12, IPv6Source = 8, IPv6Words = 4, IPv6Payload = 40;

    /// <summary>Attaches it to the group that the descriptor is in.</summary>
    /// <returns>0 or a negative errno.</returns>
    public static int Attach(LinuxCalls calls, int fd, int family, int shards)
    {
        var code = family == Libc.AfInet6 ? ForIPv6(shards) : ForIPv4(shards);
        fixed (Instruction* first = code.ToArray())
        {
            var program = new Program { Length = (ushort)code.Count, Code = first };
            return calls.SetOption(
                fd, Libc.SolSocket, Libc.SoAttachReusePortFilter, &program, (uint)sizeof(Program));
        }
    }

    private static List<Instruction> ForIPv4(int shards) =>
    [
        new(LoadHeaderLengthToX, NetworkHeader),
        new(LoadHalfAtX, NetworkHeader),                 // the source port
        new(Store, 0),
        new(LoadWord, NetworkHeader + IPv4Source),
        .. Fold(),
        .. Pick(shards),
    ];

    /// <remarks>The port is looked for right behind the fixed header: behind extension headers other bytes are taken
    /// for it, which are a peer's own as well.</remarks>
    private static List<Instruction> ForIPv6(int shards)
    {
        var code = new List<Instruction> { new(LoadHalf, NetworkHeader + IPv6Payload), new(Store, 0) };
        for (var word = 0; word < IPv6Words; word++)
        {
            code.Add(new Instruction(LoadWord, NetworkHeader + IPv6Source + (word * sizeof(int))));
            code.AddRange(Fold());
            code.Add(new Instruction(Store, 0));
        }

        code.AddRange(Pick(shards));
        return code;
    }

    /// <summary>A = (A * odd + M[0]) * odd: multiplicative hashing, whose upper bits are the good ones.</summary>
    private static IEnumerable<Instruction> Fold() =>
    [
        new(Multiply, unchecked((int)0x9E37_79B1)),
        new(LoadMemoryToX, 0),
        new(AddX, 0),
        new(Multiply, unchecked((int)0x85EB_CA6B)),
    ];

    private static IEnumerable<Instruction> Pick(int shards) =>
        [new(ShiftRight, 16), new(Modulo, shards), new(ReturnA, 0)];

    /// <summary>struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Instruction(ushort code, int operand)
    {
        private readonly ushort _code = code;
        private readonly byte _jumpTrue;
        private readonly byte _jumpFalse;
        private readonly int _operand = operand;
    }

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct Program
    {
        [FieldOffset(0)] public ushort Length;
        [FieldOffset(8)] public Instruction* Code;
    }
}
