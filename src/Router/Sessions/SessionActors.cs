using Akka.Actor.Internal;
using Router.Loop;

namespace Router.Sessions;

/// <summary>Makes the actors of a shard's sessions, children of its listener, as <c>Context.ActorOf</c> would.
/// </summary>
/// <remarks>That looks the deployment, dispatcher and mailbox of every child up by text. Here they are looked up once
/// for all: sessions are not configured one by one. In the listener's turn.</remarks>
internal sealed class SessionActors
{
    private readonly Shard _shard;
    private readonly ActorCell _listener;
    private readonly Props _props;
    private readonly MessageDispatcher _dispatcher;
    private readonly MailboxType _mailbox;

    /// <param name="shard">Whose sessions.</param>
    /// <param name="listener">Its actor's.</param>
    /// <param name="dispatcher">Which dispatcher runs the sessions.</param>
    public SessionActors(Shard shard, IActorContext listener, string dispatcher)
    {
        _shard = shard;
        _listener = (ActorCell)listener;
        _props = Props
            .CreateBy(new SessionActorProducer(shard))
            .WithDispatcher(dispatcher)
            .WithMailbox(SessionMailbox.Path);
        var system = _listener.System;
        _dispatcher = system.Dispatchers.Lookup(dispatcher);
        _mailbox = system.Mailboxes.GetMailboxType(_props, _dispatcher.Configurator.Config);
    }

    /// <summary>Makes one and starts it. Throws if the listener is stopping.</summary>
    public IActorRef Make()
    {
        var number = ++_shard.ActorsMade;   // a restarted listener has the children of the one before
        var name = NameOf(number);
        _listener.ReserveChild(name);
        var uid = 1 + ((_shard.FirstActorUid + number) % int.MaxValue);   // not 0, which is any; Akka reads 31 bits
        var path = new ChildActorPath(_listener.Self.Path, name, uid);
        var session = new SessionRef(
            _listener.SystemImpl, _props, _dispatcher, _mailbox, (IInternalActorRef)_listener.Self, path);
        _listener.InitChild(session);
        session.Start();
        return session;
    }

    /// <summary>Six bits a letter, lowest first, behind a dollar sign, as Akka names children without a name.</summary>
    private static string NameOf(long number)
    {
        const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+~";
        Span<char> name = stackalloc char[12];
        var length = 0;
        name[length++] = '$';
        for (; number != 0; number >>= 6)
        {
            name[length++] = Letters[(int)(number & 63)];
        }

        return new string(name[..length]);
    }

    private sealed class SessionRef(
        ActorSystemImpl system,
        Props props,
        MessageDispatcher dispatcher,
        MailboxType mailboxType,
        IInternalActorRef listener,
        ActorPath path) : LocalActorRef(system, props, dispatcher, mailboxType, listener, path)
    {
        protected override ActorCell NewActorCell(
            ActorSystemImpl system,
            IInternalActorRef self,
            Props props,
            MessageDispatcher dispatcher,
            IInternalActorRef supervisor) => new SessionCell(system, self, props, dispatcher, supervisor);
    }

    /// <summary>Keeps one behavior for all sessions: <see cref="SessionActor"/> goes by none, and each actor's own,
    /// which Akka sets when it is made, would take 64 bytes.</summary>
    private sealed class SessionCell(
        ActorSystemImpl system,
        IInternalActorRef self,
        Props props,
        MessageDispatcher dispatcher,
        IInternalActorRef parent) : ActorCell(system, self, props, dispatcher, parent), IActorContext
    {
        private static readonly Receive None = static _ => false;

        void IActorContext.Become(Receive receive) => Become(None);
    }
}
