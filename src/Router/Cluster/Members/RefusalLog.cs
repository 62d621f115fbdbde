using Microsoft.Extensions.Logging;
using Router.Diagnostics;

namespace Router.Cluster.Members;

/// <summary>Writes down connections that TLS has refused: a line a second at most, whoever knocks, and how often. A
/// reference without a mailbox, so that nothing queues.</summary>
internal sealed class RefusalLog : MinimalActorRef
{
    private readonly BurstLog<MemberRefused> _lines;

    public RefusalLog(ActorSystem system, ILogger log, TimeProvider time)
    {
        Provider = ((ExtendedActorSystem)system).Provider;
        Path = Provider.RootPath / "router-refusals";
        _lines = new BurstLog<MemberRefused>(
            (last, count) => ClusterLog.Refused(log, last.Direction, last.Peer, last.Reason, count), time);
    }

    public override ActorPath Path { get; }

    public override IActorRefProvider Provider { get; }

    protected override void TellInternal(object message, IActorRef sender)
    {
        if (message is MemberRefused refused)
        {
            _lines.Add(refused);
        }
    }
}
