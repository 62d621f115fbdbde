using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Akka.Serialization;
using Router.Cluster.Checkpoints;
using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>Writes the parts of messages about identities, little-endian.</summary>
internal sealed class IdentityWriter(ExtendedActorSystem system)
{
    /// <summary>A longer buffer is not kept by its thread.</summary>
    private const int KeptBytesMax = 16 << 10;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _kept;

    private readonly ArrayBufferWriter<byte> _bytes = Take();

    /// <summary>What was written. Nothing can be written any more.</summary>
    public byte[] ToArray()
    {
        var bytes = _bytes.WrittenSpan.ToArray();
        _bytes.ResetWrittenCount();
        _kept = _bytes.Capacity <= KeptBytesMax ? _bytes : null;
        return bytes;
    }

    private static ArrayBufferWriter<byte> Take()
    {
        var bytes = _kept ?? new ArrayBufferWriter<byte>(512);
        _kept = null;   // a message within a message has its own
        return bytes;
    }

    /// <summary>Seven bits a byte, the lowest first.</summary>
    public void Number(long value)
    {
        var left = (ulong)value;
        var bytes = _bytes.GetSpan(10);
        var length = 0;
        while (left >= 0x80)
        {
            bytes[length++] = (byte)(left | 0x80);
            left >>= 7;
        }

        bytes[length++] = (byte)left;
        _bytes.Advance(length);
    }

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        Number(bytes.Length);
        _bytes.Write(bytes);
    }

    public void Text(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Number(length);
        Encoding.UTF8.GetBytes(text, _bytes.GetSpan(length));
        _bytes.Advance(length);
    }

    public void Id(SessionId id)
    {
        Number((long)id.High);
        Number((long)id.Low);
    }

    public void State(KeptState state)
    {
        Number(state.Revision);
        Bytes(state.Bytes.Span);
    }

    public void Place(Place place)
    {
        Text(place.Address.ToString());
        Number(place.Uid);
    }

    public void Pack(CarryPack pack)
    {
        Number(pack.Number);
        Number(pack.Wakes ? 1 : 0);
        Number(pack.Identities.Count);
        foreach (var (kept, owner, queue, isSure, claimsLost) in pack.Identities)
        {
            Text(kept.Identity);
            Number(kept.Epoch);
            State(new KeptState(kept.Revision, kept.State));
            Number(owner is null ? 0 : 1);
            if (owner is not null)
            {
                Id(owner.Session);
                Reference(owner.Hub);
                Place(owner.Place);
                Text(owner.Peer);
                Number(owner.Order);
                Number(owner.Epoch);
            }

            Number(isSure ? 1 : 0);
            Number(claimsLost);
            Number(queue.Count);
            foreach (var tell in queue)
            {
                Tell(tell);
            }
        }
    }

    public void Reference(IActorRef actor) => Text(Serialization.SerializedActorPath(actor));

    /// <summary>Without the identity's name. The message itself goes by the serializer that Akka has for it.</summary>
    public void Tell(Tell tell)
    {
        var serializer = system.Serialization.FindSerializerFor(tell.Message);
        Number(serializer.Identifier);
        Text(Serialization.ManifestFor(serializer, tell.Message));
        Bytes(serializer.ToBinary(tell.Message));
        Reference(tell.From);
        Text(tell.Ack is null ? "" : Serialization.SerializedActorPath(tell.Ack));
    }
}

/// <summary>Reads what <see cref="IdentityWriter"/> has written; throws what Akka takes for a message that it cannot
/// read.</summary>
internal sealed class IdentityReader(ExtendedActorSystem system, byte[] bytes)
{
    private const int AddressesMax = 1_000;

    private static readonly ConcurrentDictionary<string, Address> Addresses = new(StringComparer.Ordinal);

    private int _at;

    public long Number()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = bytes[_at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                break;
            }
        }

        return (long)value;
    }

    public ReadOnlyMemory<byte> Bytes()
    {
        var length = (int)Number();
        var part = bytes.AsMemory(_at, length);
        _at += length;
        return part;
    }

    public string Text() => Encoding.UTF8.GetString(Bytes().Span);

    public SessionId Id() => new((ulong)Number(), (ulong)Number());

    /// <summary>Copied: else the checkpoint would keep the whole message.</summary>
    public KeptState State() => new(Number(), Bytes().ToArray());

    /// <summary>Members are few, and entities keep where their sessions are: one address for all.</summary>
    public Place Place()
    {
        var text = Text();
        if (!Addresses.TryGetValue(text, out var address))
        {
            address = Address.Parse(text);
            if (Addresses.Count >= AddressesMax)
            {
                Addresses.Clear();
            }

            Addresses[text] = address;
        }

        return new Place(address, (int)Number());
    }

    public CarryPack Pack()
    {
        var (number, wakes, count) = (Number(), Number() > 0, Number());
        var identities = new List<CarriedIdentity>();
        for (; count > 0; count--)
        {
            var (name, epoch, state) = (Text(), Number(), State());
            var owner = Number() > 0
                ? new Attachment(Id(), Reference(), Place(), Text(), Number(), Number())
                : null;
            var (isSure, claimsLost) = (Number() > 0, (int)Number());
            var queue = new List<Tell>();
            for (var left = Number(); left > 0; left--)
            {
                queue.Add(Tell(name));
            }

            var kept = new Checkpoint(name, epoch, state.Revision, state.Bytes);
            identities.Add(new CarriedIdentity(kept, owner, queue, isSure, claimsLost));
        }

        return new CarryPack(number, wakes, identities);
    }

    public IActorRef Reference() => system.Provider.ResolveActorRef(Text());

    public Tell Tell(string identity)
    {
        var (serializer, manifest) = ((int)Number(), Text());
        var message = system.Serialization.Deserialize(Bytes().ToArray(), serializer, manifest);
        var from = Reference();
        var ack = Text();
        return new Tell(identity, message, from, ack.Length == 0 ? null : system.Provider.ResolveActorRef(ack));
    }
}
