using System.Text;
using Akka.Serialization;
using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>Writes the parts of messages about identities, little-endian.</summary>
internal sealed class IdentityWriter(ExtendedActorSystem system)
{
    private readonly MemoryStream _bytes = new(256);

    public byte[] ToArray() => _bytes.ToArray();

    /// <summary>Seven bits a byte, the lowest first.</summary>
    public void Number(long value)
    {
        var left = (ulong)value;
        while (left >= 0x80)
        {
            _bytes.WriteByte((byte)(left | 0x80));
            left >>= 7;
        }

        _bytes.WriteByte((byte)left);
    }

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        Number(bytes.Length);
        _bytes.Write(bytes);
    }

    public void Text(string text) => Bytes(Encoding.UTF8.GetBytes(text));

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
        foreach (var (kept, owner, queue, isSure) in pack.Identities)
        {
            Text(kept.Identity);
            Number(kept.Epoch);
            State(new KeptState(kept.Revision, kept.State));
            Number(owner is null ? 0 : 1);
            if (owner is not null)
            {
                Id(owner.Session);
                Reference(owner.Actor);
                Reference(owner.Hub);
                Place(owner.Place);
                Text(owner.Peer);
                Number(owner.Epoch);
            }

            Number(isSure ? 1 : 0);
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

    public Place Place() => new(Address.Parse(Text()), (int)Number());

    public CarryPack Pack()
    {
        var (number, wakes, count) = (Number(), Number() > 0, Number());
        var identities = new List<CarriedIdentity>();
        for (; count > 0; count--)
        {
            var (name, epoch, state) = (Text(), Number(), State());
            var owner = Number() > 0
                ? new Attachment(Id(), Reference(), Reference(), Place(), Text(), Number())
                : null;
            var isSure = Number() > 0;
            var queue = new List<Tell>();
            for (var left = Number(); left > 0; left--)
            {
                queue.Add(Tell(name));
            }

            identities.Add(new CarriedIdentity(new(name, epoch, state.Revision, state.Bytes), owner, queue, isSure));
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
