using System.Diagnostics.Metrics;
using Router.Diagnostics;

namespace Router.Reporting;

/// <summary>Instruments of members, identities and checkpoints: those of the log event <c>cluster-stats</c>.</summary>
internal static class MemberMeter
{
    /// <param name="meter">The router's.</param>
    /// <param name="read">Reads a member's figures of now, on any thread, once for each instrument; null for a router
    /// that is no member, which has none of these instruments.</param>
    public static void Observe(Meter meter, Func<MemberFigures>? read)
    {
        if (read is null)
        {
            return;
        }

        ObserveMembers(meter, read);
        ObserveIdentities(meter, read);
        meter.CreateObservableUpDownCounter(
            "router.checkpoints.queued", () => (long)read().CheckpointsQueued, "{checkpoint}",
            "Checkpoints that wait for the store.");
        meter.CreateObservableCounter(
            "router.checkpoints.written", () => read().CheckpointsWritten, "{checkpoint}",
            "Checkpoints that the store has taken.");
        meter.CreateObservableCounter(
            "router.checkpoints.lost", () => read().CheckpointsLost, "{checkpoint}",
            "Checkpoints that no store will have.");
        meter.CreateObservableCounter(
            "router.checkpoints.failures", () => read().StoreFailures, "{time}",
            "How often the store did not do what an identity's entity asked of it.");
    }

    private static void ObserveMembers(Meter meter, Func<MemberFigures> read)
    {
        meter.CreateObservableUpDownCounter(
            "router.cluster.members", () => (long)read().Members, "{member}",
            "Members that are up, this one included.");
        meter.CreateObservableUpDownCounter(
            "router.cluster.unreachable", () => (long)read().Unreachable, "{member}",
            "Of these, those that are not heard of.");
    }

    private static void ObserveIdentities(Meter meter, Func<MemberFigures> read)
    {
        meter.CreateObservableUpDownCounter(
            "router.identities", () => read().Identities, "{identity}", "Entities of identities at this member.");
        meter.CreateObservableUpDownCounter(
            "router.identities.attached", () => (long)read().Attached, "{session}",
            "Sessions of this member that speak for an identity.");
        meter.CreateObservableUpDownCounter(
            "router.identities.waiting", () => (long)read().Waiting, "{session}",
            "Sessions of this member that wait for an answer of an identity's entity.");
        meter.CreateObservableCounter(
            "router.identities.attachments", () => read().Attachments, "{session}",
            "Sessions that the entities here have attached.");
        meter.CreateObservableCounter(
            "router.identities.superseded", () => read().Superseded, "{session}",
            "Of these, those that took another session's place.");
        meter.CreateObservableUpDownCounter(
            "router.identities.queued", () => read().Queued, "{message}",
            "Messages that wait at the entities here for a session.");
        meter.CreateObservableCounter(
            "router.identities.queue.dropped", () => read().QueueDrops, "{message}",
            "Messages that found an identity's queue full.");
        meter.CreateObservableCounter(
            "router.identities.detaches.lost", () => read().DetachesLost, "{session}",
            "Sessions whose end, with their last checkpoint, no entity has acknowledged.");
    }
}
