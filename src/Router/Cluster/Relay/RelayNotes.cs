using System.Buffers.Binary;
using System.Text;
using Router.Net;

namespace Router.Cluster.Relay;

/// <summary>What members say to each other about sessions, between the datagrams of a pack: payloads of port 0.
/// </summary>
/// <remarks>
/// A <b>port</b> is a number that a member has given to a session of its own, never again to another one. Its low bits
/// are its loop's number, and where it begins is drawn, so that a member that is there again does not take what is for
/// the one before.
/// </remarks>
internal static class RelayNotes
{
    /// <summary>The longest note: a question, with the name of a listener.</summary>
    public const int BytesMax = QuestionBytes + NameBytesMax;

    /// <summary>Loops of a member, as <c>loops</c> allows.</summary>
    public const int LoopBits = 6;

    private const byte Question = 1, Here = 2, NotHere = 3, Over = 4;
    private const int NameBytesMax = 1_000;
    private const int QuestionBytes = 2 + (7 * sizeof(ulong));

    public static int LoopOf(long port) => (int)port & ((1 << LoopBits) - 1);

    /// <summary>Does anybody have a session of this peer?</summary>
    /// <param name="note">At least <see cref="BytesMax"/> bytes.</param>
    /// <returns>Bytes written; 0 for a listener whose name is too long.</returns>
    /// <remarks>The interface of a link-local address is left out: it has another number on each machine.</remarks>
    public static int WriteQuestion(
        Span<byte> note, long port, bool isDirect, in SocketAddr peer, in LocalAddr local, string listener)
    {
        if (Encoding.UTF8.GetByteCount(listener) > NameBytesMax)
        {
            return 0;
        }

        note[0] = Question;
        note[1] = isDirect ? (byte)1 : (byte)0;
        ReadOnlySpan<ulong> words =
            [(ulong)port, peer.Word0, peer.Word1, peer.Word2, peer.Word3, local.High, local.Low];
        for (var i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(note[(2 + (i * sizeof(ulong)))..], words[i]);
        }

        return QuestionBytes + Encoding.UTF8.GetBytes(listener, note[QuestionBytes..]);
    }

    /// <summary>This member has one, and takes its datagrams at a port of its own; or has none.</summary>
    /// <param name="note">At least <see cref="BytesMax"/> bytes.</param>
    /// <param name="port">Whose question it was.</param>
    /// <param name="own">0 for none.</param>
    public static int WriteAnswer(Span<byte> note, long port, long own)
    {
        note[0] = own == 0 ? NotHere : Here;
        BinaryPrimitives.WriteInt64LittleEndian(note[1..], port);
        BinaryPrimitives.WriteInt64LittleEndian(note[(1 + sizeof(long))..], own);
        return 1 + (2 * sizeof(long));
    }

    /// <summary>What a port of the sender's was for is over.</summary>
    /// <param name="note">At least <see cref="BytesMax"/> bytes.</param>
    /// <param name="port">The sender's.</param>
    public static int WriteOver(Span<byte> note, long port)
    {
        note[0] = Over;
        BinaryPrimitives.WriteInt64LittleEndian(note[1..], port);
        return 1 + sizeof(long);
    }

    /// <param name="note">What has come.</param>
    /// <param name="from">Who said it.</param>
    /// <param name="loops">How many loops a question is for.</param>
    /// <returns>Null if it is no note.</returns>
    public static RelayNote? Read(ReadOnlySpan<byte> note, RelayPeer from, int loops)
    {
        if (note.IsEmpty)
        {
            return null;
        }

        var rest = note[1..];
        return note[0] switch
        {
            Question when note.Length is >= QuestionBytes and <= BytesMax => ReadQuestion(rest, from, loops),
            Here or NotHere when rest.Length == 2 * sizeof(long) => new RelayAnswer(PortAt(rest), PortAt(rest[8..])),
            Over when rest.Length == sizeof(long) => new RelayOver(PortAt(rest)),
            _ => null,
        };
    }

    private static RelayQuestion ReadQuestion(ReadOnlySpan<byte> rest, RelayPeer from, int loops)
    {
        Span<ulong> words = stackalloc ulong[7];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt64LittleEndian(rest[(1 + (i * sizeof(ulong)))..]);
        }

        var peer = new SocketAddr { Word0 = words[1], Word1 = words[2], Word2 = words[3], Word3 = words[4] };
        var local = new LocalAddr { High = words[5], Low = words[6] };
        var listener = Encoding.UTF8.GetString(rest[(QuestionBytes - 1)..]);
        return new RelayQuestion(from, (long)words[0], rest[0] != 0, peer, local, listener, loops);
    }

    private static long PortAt(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes);
}

/// <summary>A note that has come.</summary>
internal abstract class RelayNote;

/// <inheritdoc cref="RelayNotes.WriteQuestion"/>
/// <remarks>All loops look for the session; one of them answers.</remarks>
internal sealed class RelayQuestion(
    RelayPeer from, long port, bool isDirect, SocketAddr peer, LocalAddr local, string listener, int loops) : RelayNote
{
    private int _left = loops;
    private int _isFound;

    public RelayPeer From => from;

    public long Port => port;

    public bool IsDirect => isDirect;

    public SocketAddr Peer => peer;

    public LocalAddr Local => local;

    public string Listener => listener;

    /// <summary>A loop has the session. Any loop.</summary>
    /// <returns>Whether it is the first one that has.</returns>
    public bool TryFind() => Interlocked.Exchange(ref _isFound, 1) == 0;

    /// <summary>A loop has looked. Any loop, once each.</summary>
    /// <returns>Whether none has it, and this was the last one.</returns>
    public bool IsNowhere() => Interlocked.Decrement(ref _left) == 0 && Volatile.Read(ref _isFound) == 0;
}

/// <inheritdoc cref="RelayNotes.WriteAnswer"/>
internal sealed class RelayAnswer(long port, long remote) : RelayNote
{
    public long Port => port;

    public long Remote => remote;
}

/// <inheritdoc cref="RelayNotes.WriteOver"/>
internal sealed class RelayOver(long port) : RelayNote
{
    public long Port => port;
}
