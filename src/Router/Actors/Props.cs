using System.Linq.Expressions;
using System.Reflection;

namespace Router.Actors;

/// <summary>Makes actors; for those whose construction an expression would make slow.</summary>
public interface IIndirectActorProducer
{
    Type ActorType { get; }

    /// <summary>A new instance, each time. Called on the actor's own thread, in its first turn and after the
    /// old instance's <c>PreRestart</c> at each restart; the new actor's <c>Self</c> is set already.</summary>
    ActorBase Produce();

    /// <summary>The instance will not be used again.</summary>
    void Release(ActorBase actor);
}

/// <summary>The recipe for an actor: immutable, shared freely. Resolves its dispatcher and mailbox once per
/// instance and system, so make one and use it for many children.</summary>
public sealed class Props
{
    private readonly IIndirectActorProducer _producer;
    private ResolvedProps? _resolved;

    private Props(
        IIndirectActorProducer producer,
        SupervisorStrategy? strategy = null,
        string? dispatcher = null,
        string? mailbox = null)
    {
        _producer = producer;
        SupervisorStrategy = strategy;
        DispatcherId = dispatcher;
        MailboxId = mailbox;
    }

    public Type Type => _producer.ActorType;

    /// <summary>The path of the dispatcher's configuration section.</summary>
    public string Dispatcher => DispatcherId ?? Dispatchers.DefaultDispatcherId;

    /// <summary>Replaces the actor's own <c>SupervisorStrategy()</c> when not null.</summary>
    public SupervisorStrategy? SupervisorStrategy { get; }

    internal string? DispatcherId { get; }

    internal string? MailboxId { get; }

    /// <summary>From <c>() =&gt; new MyActor(a, b)</c>. The arguments are evaluated here, once.</summary>
    /// <exception cref="ArgumentException">The body is not a plain constructor call.</exception>
    public static Props Create<TActor>(Expression<Func<TActor>> factory, SupervisorStrategy? supervisorStrategy = null)
        where TActor : ActorBase
    {
        if (factory.Body is not NewExpression { Constructor: { } constructor } body)
        {
            throw new ArgumentException("The create function must be a 'new T (args)' expression", nameof(factory));
        }

        var arguments = body.Arguments.Select(Evaluate).ToArray();
        return new Props(new ConstructorProducer(typeof(TActor), constructor, arguments), supervisorStrategy);
    }

    /// <summary>From a type and its constructor's arguments.</summary>
    public static Props Create<TActor>(params object?[] args)
        where TActor : ActorBase => Create(typeof(TActor), args);

    /// <inheritdoc cref="Create{TActor}(object[])"/>
    public static Props Create(Type type, params object?[] args) => new(new TypeProducer(type, args));

    public static Props CreateBy(IIndirectActorProducer producer) => new(producer);

    public Props WithDispatcher(string dispatcher) => new(_producer, SupervisorStrategy, dispatcher, MailboxId);

    /// <summary>A mailbox by its configuration path; see <see cref="BoundedMailbox"/>.</summary>
    public Props WithMailbox(string mailbox) => new(_producer, SupervisorStrategy, DispatcherId, mailbox);

    public Props WithSupervisorStrategy(SupervisorStrategy supervisorStrategy) =>
        new(_producer, supervisorStrategy, DispatcherId, MailboxId);

    internal ActorBase NewActor() => _producer.Produce();

    internal void Release(ActorBase actor) => _producer.Release(actor);

    internal ResolvedProps Resolve(ActorSystem system)
    {
        var resolved = _resolved;
        if (resolved is null || !ReferenceEquals(resolved.System, system))
        {
            resolved = new ResolvedProps(
                system,
                system.Dispatchers.Lookup(Dispatcher),
                MailboxId is null ? 0 : Mailboxes.CapacityOf(system.Settings.Config, MailboxId));
            _resolved = resolved;
        }

        return resolved;
    }

    private static object? Evaluate(Expression argument) =>
        argument is ConstantExpression constant
            ? constant.Value
            : Expression.Lambda<Func<object?>>(Expression.Convert(argument, typeof(object)))
                .Compile(preferInterpretation: true)();

    private sealed class ConstructorProducer(Type type, ConstructorInfo constructor, object?[] arguments)
        : IIndirectActorProducer
    {
        private readonly ConstructorInvoker _invoker = ConstructorInvoker.Create(constructor);

        public Type ActorType => type;

        public ActorBase Produce() => (ActorBase)_invoker.Invoke(arguments.AsSpan());

        public void Release(ActorBase actor) => (actor as IDisposable)?.Dispose();
    }

    private sealed class TypeProducer(Type type, object?[] arguments) : IIndirectActorProducer
    {
        public Type ActorType => type;

        public ActorBase Produce() => (ActorBase)Activator.CreateInstance(
            type,
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic
                | BindingFlags.DoNotWrapExceptions,
            binder: null,
            arguments,
            culture: null)!;

        public void Release(ActorBase actor) => (actor as IDisposable)?.Dispose();
    }
}

/// <summary>What a <see cref="Props"/> comes to in one system.</summary>
internal sealed record ResolvedProps(ActorSystem System, MessageDispatcher Dispatcher, int MailboxCapacity);
