using System.Buffers;
using System.Buffers.Binary;
using Router.Net;

namespace Router.Cluster.Packs;

/// <summary>Gathers what a loop says to one member: a <see cref="PackHead"/>, then runs of payloads, each of one port:
/// the port, the run's bytes and its payloads, then each payload behind its length. Loop thread only.</summary>
internal sealed class PackBuilder
{
    /// <summary>A pack of so many bytes leaves before the pass ends.</summary>
    public const int FlushBytes = 32 << 10;

    /// <summary>None is longer, unless its one payload is: an array of 85,000 bytes is a large object.</summary>
    public const int LengthMax = 64 << 10;

    /// <summary>Besides the payloads: of a pack, of a run, of each payload.</summary>
    public const int HeadBytes = PackHead.Bytes;
    public const int RunBytes = sizeof(long) + sizeof(int) + sizeof(int);
    public const int LengthBytes = sizeof(ushort);

    private const int CapacityMin = 4 << 10;

    private byte[] _bytes = [];   // rented while there is anything in it
    private int _run;             // where the last run begins

    public int Length { get; private set; }

    public int Payloads { get; private set; }

    public bool IsEmpty => Length == 0;

    public void Add(long port, ReadOnlySpan<byte> payload)
    {
        Check.That(payload.Length <= ushort.MaxValue);
        Reserve(HeadBytes + RunBytes + LengthBytes + payload.Length);
        if (IsEmpty)
        {
            Length = HeadBytes;
            BeginRun(port);
        }
        else if (BinaryPrimitives.ReadInt64LittleEndian(_bytes.AsSpan(_run)) != port)
        {
            BeginRun(port);
        }

        BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(Length), (ushort)payload.Length);
        payload.CopyTo(_bytes.AsSpan(Length + LengthBytes));
        var added = LengthBytes + payload.Length;
        Length += added;
        Payloads++;
        Grow(_run + sizeof(long), added);
        Grow(_run + sizeof(long) + sizeof(int), 1);
    }

    /// <summary>Takes everything out, as the bytes of a message to send.</summary>
    public byte[] Take(PackHead head)
    {
        var bytes = _bytes.AsSpan(0, Length).ToArray();
        head.Write(bytes);
        Clear();
        return bytes;
    }

    public void Clear()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }

        Length = Payloads = 0;
    }

    private void BeginRun(long port)
    {
        _run = Length;
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(_run), port);
        _bytes.AsSpan(_run + sizeof(long), RunBytes - sizeof(long)).Clear();
        Length += RunBytes;
    }

    private void Grow(int place, int by)
    {
        var number = _bytes.AsSpan(place);
        BinaryPrimitives.WriteInt32LittleEndian(number, BinaryPrimitives.ReadInt32LittleEndian(number) + by);
    }

    private void Reserve(int more)
    {
        if (_bytes.Length - Length >= more)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(Length + more, 2 * _bytes.Length), CapacityMin));
        _bytes.AsSpan(0, Length).CopyTo(larger);
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = larger;
    }
}

/// <summary>What a pack begins with.</summary>
/// <param name="Position">Bytes of packs that the sender has sent to this member, this one included.</param>
/// <param name="WantsAck">The sender holds its next pack until it hears that this one has come.</param>
internal readonly record struct PackHead(long Position, bool WantsAck)
{
    public const int Bytes = sizeof(long) + sizeof(byte);

    /// <param name="pack">Of at least <see cref="Bytes"/>.</param>
    public static PackHead Read(byte[] pack) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(pack), pack[sizeof(long)] != 0);

    public void Write(byte[] pack)
    {
        BinaryPrimitives.WriteInt64LittleEndian(pack, Position);
        pack[sizeof(long)] = WantsAck ? (byte)1 : (byte)0;
    }
}

/// <summary>A run of a pack that has come.</summary>
/// <param name="Start">Of the payloads, in the pack.</param>
internal readonly record struct PackRun(long Port, int Start, int Length, int Payloads)
{
    /// <returns>False if the bytes are no pack.</returns>
    public static bool TryRead(byte[] pack, List<PackRun> runs)
    {
        for (var at = PackBuilder.HeadBytes; at < pack.Length;)
        {
            if (pack.Length - at < PackBuilder.RunBytes)
            {
                return false;
            }

            var head = pack.AsSpan(at);
            var length = BinaryPrimitives.ReadInt32LittleEndian(head[sizeof(long)..]);
            var payloads = BinaryPrimitives.ReadInt32LittleEndian(head[(sizeof(long) + sizeof(int))..]);
            at += PackBuilder.RunBytes;
            if (length < 0 || length > pack.Length - at || payloads < 0 || payloads > length)
            {
                return false;
            }

            runs.Add(new PackRun(BinaryPrimitives.ReadInt64LittleEndian(head), at, length, payloads));
            at += length;
        }

        return true;
    }

    /// <summary>Takes the next payload off the front of a run's bytes.</summary>
    /// <returns>False at the end.</returns>
    public static bool TryTake(ref ReadOnlySpan<byte> run, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (run.Length < PackBuilder.LengthBytes)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt16LittleEndian(run);
        if (run.Length - PackBuilder.LengthBytes < length)
        {
            return false;
        }

        payload = run.Slice(PackBuilder.LengthBytes, length);
        run = run[(PackBuilder.LengthBytes + length)..];
        return true;
    }
}
