namespace Router.Actors;

/// <summary>An actor whose constructor declares a handler per message type; the first that fits is called.</summary>
public abstract class ReceiveActor : UntypedActor
{
    private List<Func<object, bool>> _handlers = [];

    protected sealed override void OnReceive(object message)
    {
        if (!Handle(_handlers, message))
        {
            Unhandled(message);
        }
    }

    /// <summary>Handles messages of a type, those <paramref name="shouldHandle"/> accepts.</summary>
    protected void Receive<T>(Action<T> handler, Predicate<T>? shouldHandle = null) =>
        _handlers.Add(message =>
        {
            if (message is not T typed || shouldHandle?.Invoke(typed) == false)
            {
                return false;
            }

            handler(typed);
            return true;
        });

    protected void Receive<T>(Predicate<T> shouldHandle, Action<T> handler) => Receive(handler, shouldHandle);

    /// <summary>As above; the handler returns false for what it leaves to the handlers below.</summary>
    protected void Receive<T>(Func<T, bool> handler) =>
        _handlers.Add(message => message is T typed && handler(typed));

    protected void ReceiveAny(Action<object> handler) => Receive(handler);

    /// <summary>Handles messages of a type asynchronously. No other user message is handled until the task
    /// ends; Sender and Context hold after each await.</summary>
    protected void ReceiveAsync<T>(Func<T, Task> handler, Predicate<T>? shouldHandle = null) =>
        Receive<T>(message => Cell.RunTask(() => handler(message)), shouldHandle);

    protected void ReceiveAsync<T>(Predicate<T> shouldHandle, Func<T, Task> handler) =>
        ReceiveAsync(handler, shouldHandle);

    protected void ReceiveAnyAsync(Func<object, Task> handler) => ReceiveAsync(handler);

    /// <summary>Replaces the handlers, from the next message on, by those <paramref name="configure"/>
    /// declares.</summary>
    protected void Become(Action configure) => Context.Become(Configured(configure));

    protected void BecomeStacked(Action configure) => Context.BecomeStacked(Configured(configure));

    private static bool Handle(List<Func<object, bool>> handlers, object message)
    {
        foreach (var handler in handlers)
        {
            if (handler(message))
            {
                return true;
            }
        }

        return false;
    }

    private Receive Configured(Action configure)
    {
        var outer = _handlers;
        var handlers = _handlers = [];
        try
        {
            configure();
        }
        finally
        {
            _handlers = outer;
        }

        return message => Handle(handlers, message);
    }
}
