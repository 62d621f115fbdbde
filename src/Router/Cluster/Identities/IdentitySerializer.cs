using System.Runtime.Serialization;
using Akka.Serialization;
using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>Writes what members tell each other about identities. Called by Akka's remoting.</summary>
/// <remarks>A manifest is never given another layout: a changed one gets a new manifest, so that members of two
/// versions understand each other, or say that they do not.</remarks>
internal sealed class IdentitySerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <summary>Of this serializer, among all of an actor system; the same on all members.</summary>
    public const int Number = 27_123;

    private static readonly (string Manifest, Type Type)[] Manifests =
    [
        ("attach-3", typeof(Attach)), ("detach", typeof(Detach)), ("save", typeof(Save)), ("tell", typeof(Tell)),
        ("none", typeof(HasNone)), ("undelivered", typeof(Undelivered)), ("attached-2", typeof(Attached)),
        ("epoch-2", typeof(EpochIs)), ("supersede", typeof(Supersede)), ("over", typeof(Over)),
        ("detached", typeof(Detached)), ("kept", typeof(Kept)), ("unknown", typeof(Unknown)), ("who", typeof(WhoHas)),
        ("pass", typeof(Pass)), ("answered", typeof(Answered)), ("taken", typeof(IdentityTaken)),
        ("wake", typeof(WakeIdentity)), ("carry-4", typeof(CarryPack)), ("carried", typeof(CarryTaken)),
    ];

    private static readonly Dictionary<Type, string> ByType =
        Manifests.ToDictionary(static each => each.Type, static each => each.Manifest);

    /// <summary>The lines that an actor system's configuration needs for it.</summary>
    public static string Settings
    {
        get
        {
            var name = typeof(IdentitySerializer).AssemblyQualifiedName;
            var bindings = Manifests.Select(static each => $"\"{each.Type.AssemblyQualifiedName}\" = router-identity");
            return $$"""
                akka.actor {
                  serializers.router-identity = "{{name}}"
                  serialization-bindings {
                    {{string.Join("\n    ", bindings)}}
                  }
                  serialization-identifiers {
                    "{{name}}" = {{Number}}
                  }
                }
                """;
        }
    }

    public override int Identifier => Number;

    public override string Manifest(object o) => ByType[o.GetType()];

    public override byte[] ToBinary(object obj)
    {
        var writer = new IdentityWriter(system);
        switch (obj)
        {
            case IToIdentity told:
                writer.Text(told.Identity);
                WriteToIdentity(writer, told);
                break;
            case IToHub told:
                writer.Text(told.Identity);
                WriteToHub(writer, told);
                break;
            case Answered answered:
                writer.Number((long)answered.Delivery);
                break;
            case CarryPack pack:
                writer.Pack(pack);
                break;
            case CarryTaken taken:
                writer.Number(taken.Number);
                break;
            default:
                break;
        }

        return writer.ToArray();
    }

    public override object FromBinary(byte[] bytes, string manifest)
    {
        var reader = new IdentityReader(system, bytes);
        return manifest switch
        {
            "answered" => new Answered((Delivery)reader.Number()),
            "taken" => IdentityTaken.Instance,
            "carry-4" => reader.Pack(),
            "carried" => new CarryTaken(reader.Number()),
            _ => Read(reader, manifest, reader.Text()),
        };
    }

    private static void WriteToIdentity(IdentityWriter writer, IToIdentity message)
    {
        switch (message)
        {
            case Attach attach:
                writer.Id(attach.Session);
                writer.Place(attach.Place);
                writer.Text(attach.Peer);
                writer.Number(attach.Order);
                writer.Number(attach.LiveEpoch);
                writer.State(attach.State);
                break;
            case Detach detach:
                writer.Id(detach.Session);
                writer.Number(detach.Epoch);
                writer.State(detach.State);
                break;
            case Save save:
                writer.Id(save.Session);
                writer.Number(save.Epoch);
                writer.State(save.State);
                writer.Number(save.Sync ? 1 : 0);
                break;
            case Tell tell:
                writer.Tell(tell);
                break;
            case HasNone none:
                writer.Place(none.Place);
                break;
            case WakeIdentity:
                break;
            case Undelivered undelivered:
                writer.Id(undelivered.Session);
                writer.Tell(undelivered.What);
                break;
            default:
                throw new SerializationException($"no message of identities: {message.GetType()}");
        }
    }

    private static void WriteToHub(IdentityWriter writer, IToHub message)
    {
        switch (message)
        {
            case Attached attached:
                writer.Id(attached.Session);
                writer.Number(attached.Epoch);
                writer.State(attached.State);
                writer.Text(attached.Supersedes ?? "");
                break;
            case EpochIs changed:
                writer.Id(changed.Session);
                writer.Number(changed.Epoch);
                writer.Number(changed.Revision);
                break;
            case Supersede supersede:
                writer.Id(supersede.Session);
                writer.Text(supersede.By);
                break;
            case Over over:
                writer.Id(over.Session);
                writer.Text(over.By);
                break;
            case Detached detached:
                writer.Id(detached.Session);
                break;
            case Kept kept:
                writer.Id(kept.Session);
                writer.Number(kept.Revision);
                writer.Number(kept.IsKept ? 1 : 0);
                break;
            case Unknown unknown:
                writer.Id(unknown.Session);
                break;
            case WhoHas:
                break;
            case Pass pass:
                writer.Id(pass.Session);
                writer.Tell(pass.What);
                break;
            default:
                throw new SerializationException($"no message of identities: {message.GetType()}");
        }
    }

    private static object Read(IdentityReader reader, string manifest, string identity) => manifest switch
    {
        "attach-3" => new Attach(
            identity, reader.Id(), reader.Place(), reader.Text(), reader.Number(), reader.Number(), reader.State()),
        "detach" => new Detach(identity, reader.Id(), reader.Number(), reader.State()),
        "save" => new Save(identity, reader.Id(), reader.Number(), reader.State(), reader.Number() > 0),
        "tell" => reader.Tell(identity),
        "none" => new HasNone(identity, reader.Place()),
        "undelivered" => new Undelivered(identity, reader.Id(), reader.Tell(identity)),
        "attached" => new Attached(identity, reader.Id(), reader.Number(), reader.State()),
        "attached-2" => new Attached(
            identity, reader.Id(), reader.Number(), reader.State(), reader.Text() is { Length: > 0 } by ? by : null),
        "epoch-2" => new EpochIs(identity, reader.Id(), reader.Number(), reader.Number()),
        "supersede" => new Supersede(identity, reader.Id(), reader.Text()),
        "over" => new Over(identity, reader.Id(), reader.Text()),
        "detached" => new Detached(identity, reader.Id()),
        "kept" => new Kept(identity, reader.Id(), reader.Number(), reader.Number() > 0),
        "unknown" => new Unknown(identity, reader.Id()),
        "who" => new WhoHas(identity),
        "wake" => new WakeIdentity(identity),
        "pass" => new Pass(identity, reader.Id(), reader.Tell(identity)),
        _ => throw new SerializationException($"'{manifest}' is of another version of the router"),
    };
}
