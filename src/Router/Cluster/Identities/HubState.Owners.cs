using Router.Sessions;

namespace Router.Cluster.Identities;

/// <content>What entities tell the session that they take for the owner, and the answer where it is gone.</content>
internal sealed partial class HubState
{
    private void OnEpoch(EpochIs changed, Address at)
    {
        if (Find(changed.Session) is not { } entry)
        {
            TellIsGone(changed.Identity, changed.Session);
            return;
        }

        if (entry.Phase != Phase.Attached)
        {
            return;   // its end, or its wish, is told until there is an answer
        }

        entry.At = at;
        entry.IsAnnounced = false;
        if (entry.SyncRevision == 0)
        {
            _waiting.Remove(entry);
        }

        if (changed.Epoch != entry.Epoch)
        {
            entry.Epoch = changed.Epoch;
            _world.ToSession(entry.Session, new IdentityEpoch(changed.Epoch), ActorRefs.NoSender);
        }

        // One that nobody waits for is sent once, and was lost if its entity was on the way to another member.
        if (entry.SyncRevision == 0 && entry.State.Revision > changed.Revision)
        {
            SendSave(entry);
        }
    }

    private void OnSupersede(Supersede supersede)
    {
        if (Find(supersede.Session) is not { } entry)
        {
            TellIsGone(supersede.Identity, supersede.Session);
        }
        else if (entry.Phase == Phase.Ended)
        {
            Ask(entry);
        }
        else
        {
            entry.IsEnding = true;
            _world.ToSession(entry.Session, new IdentitySuperseded(supersede.By), ActorRefs.NoSender);
        }
    }

    private void OnPass(Pass pass)
    {
        var entry = Find(pass.Session);
        if (entry is { Phase: Phase.Attached, IsEnding: false })
        {
            _world.ToSession(entry.Session, new IdentityTold(pass.What.Message, pass.What.Ack), pass.What.From);
            return;
        }

        if (entry is null)
        {
            TellIsGone(pass.Identity, pass.Session);
        }

        _world.ToIdentity(new Undelivered(pass.Identity, pass.Session, pass.What));
    }

    /// <summary>An entity may have heard of a session's end before another member handed it over as the owner: without
    /// an answer it would stay that for good.</summary>
    private void TellIsGone(string identity, SessionId session) =>
        _world.ToIdentity(new Detach(identity, session, 0, default));
}
