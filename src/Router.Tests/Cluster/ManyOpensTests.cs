using Router.Sessions;
using Router.Tests.Functional;
using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Cluster;

/// <summary>A storm: very many sessions of one identity open at once, at two members.</summary>
public sealed class ManyOpensTests
{
    private const int Opens = 10_000;

    [Fact]
    public async Task Of_ten_thousand_sessions_of_one_identity_one_is_attached_and_all_others_end()
    {
        const string Identity = "identity { first-line = \"^(\\\\w+)\" }";
        await using var one = await StartAsync(null, Identity);
        await using var two = await StartAsync(one.Seed, Identity);
        await two.IsAmongAsync(2);
        HostedMember[] members = [one, two];
        var sessions = new Sessions();
        for (var i = 0; i < Opens; i++)
        {
            var (member, id) = (members[i % 2], new SessionId(9, (ulong)i));
            var hub = member.Engine.Member!.Hub;
            var session = member.System.ActorOf(Props.Create(() => new Session(id, hub, sessions)));
            hub.Tell(
                new AttachSession(session, id, "storm", "192.0.2.7:5000", 60_000), ActorRefs.NoSender);
        }

        await Until.TrueAsync(
            () => sessions.Ended == Opens - 1
                && members.All(static member => member.Engine.Member!.Figures.Waiting == 0),
            () => $"all but one to end, {sessions.Ended} have");
        Assert.Equal(1, members.Sum(static member => member.Engine.Member!.Figures.Attached));
        Assert.Equal(1, sessions.MostAtOnce);
    }

    /// <summary>Of all sessions. Any thread.</summary>
    private sealed class Sessions
    {
        private int _ended;
        private int _attached;
        private int _mostAtOnce;

        public int Ended => Volatile.Read(ref _ended);

        public int MostAtOnce => Volatile.Read(ref _mostAtOnce);

        public void Begin()
        {
            var now = Interlocked.Increment(ref _attached);
            if (now > MostAtOnce)
            {
                Volatile.Write(ref _mostAtOnce, now);
            }
        }

        public void End(bool wasAttached)
        {
            if (wasAttached)
            {
                Interlocked.Decrement(ref _attached);
            }

            Interlocked.Increment(ref _ended);
        }
    }

    private sealed class Session : ReceiveActor
    {
        public Session(SessionId id, IActorRef hub, Sessions all)
        {
            var isAttached = false;
            Receive<IdentityAttached>(_ =>
            {
                isAttached = true;
                all.Begin();
            });
            Receive<IdentitySuperseded>(_ =>
            {
                all.End(isAttached);
                hub.Tell(new EndSession(id, 0, default), ActorRefs.NoSender);
                Context.Stop(Self);
            });
        }
    }
}
