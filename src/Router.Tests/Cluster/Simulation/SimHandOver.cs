using Router.Cluster.Identities;

namespace Router.Tests.Cluster.Simulation;

/// <summary>Hands over what a member's entities know, and takes what others hand over, as <see cref="HandOverActor"/>
/// does, without packs.</summary>
internal sealed class SimHandOver(SimCluster cluster, SimProcess process)
{
    private static readonly TimeSpan TellAgain = TimeSpan.FromSeconds(1);

    private readonly HashSet<CarriedIdentity> _taken = new(ReferenceEqualityComparer.Instance);

    public InheritedIdentities Inherited { get; } = new(cluster.Clock);

    /// <param name="stop">Called when the others have it, or the time is up.</param>
    public void Send(CarriedIdentity identity, Action stop)
    {
        Inherited.Add(identity);
        var missing = Others();
        cluster.History.Log($"{process} hands {identity.Kept.Identity} over: epoch {identity.Kept.Epoch}");
        Tell(identity, missing, missing.FirstOrDefault(), cluster.Clock.Now, stop, isStopped: false);
    }

    private HashSet<SimProcess> Others() =>
    [
        .. process.Members.HandOvers.Select(static each => ((SimHub)((SimRef)each.Actor).Target).Process)
            .Where(other => other != process).OrderBy(static other => other.Unique.Uid),
    ];

    private void Tell(
        CarriedIdentity identity, HashSet<SimProcess> missing, SimProcess? waker, TimeSpan since, Action stop,
        bool isStopped)
    {
        missing.IntersectWith(Others());
        var isDone = missing.Count == 0 || cluster.Clock.Now - since >= InheritedIdentities.KeepFor;
        if (!isStopped && (isDone || cluster.Clock.Now - since >= HandOverActor.AnswerTimeout))
        {
            isStopped = true;
            stop();
        }

        if (isDone)
        {
            return;
        }

        foreach (var other in missing)
        {
            cluster.Network.Send(process, other, () => other.HandOver.Take(identity, other == waker, () =>
                cluster.Network.Send(other, process, () => OnTaken(other), isLossy: false)), isLossy: false);
        }

        cluster.Clock.In(TellAgain, () => process.Run(() =>
        {
            if (missing.Count > 0)
            {
                Tell(identity, missing, waker, since, stop, isStopped);
            }
        }));

        void OnTaken(SimProcess other)
        {
            if (missing.Remove(other) && missing.Count == 0 && !isStopped)
            {
                isStopped = true;
                stop();
            }
        }
    }

    private void Take(CarriedIdentity identity, bool wakes, Action answer)
    {
        answer();
        if (!_taken.Add(identity))
        {
            return;
        }

        Inherited.Add(identity);
        process.Region.Find(identity.Kept.Identity)?.Inherit();
        if (wakes)
        {
            process.Region.Route(new WakeIdentity(identity.Kept.Identity), ActorRefs.Nobody);
        }
    }
}
