namespace Router.Actors;

/// <summary>Gives an actor a stash: the kernel sets <see cref="Stash"/> right after construction.</summary>
public interface IWithStash
{
    IStash Stash { get; set; }
}

/// <summary>Messages put aside. They go back in front of the mailbox, in the order they were stashed; on
/// restart and stop all of them do so by themselves.</summary>
public interface IStash
{
    /// <summary>Puts the message being handled aside.</summary>
    /// <exception cref="InvalidOperationException">It was stashed before in the same turn.</exception>
    void Stash();

    /// <summary>Puts the oldest one back.</summary>
    void Unstash();

    void UnstashAll();

    /// <summary>Empties the stash without putting anything back.</summary>
    IEnumerable<Envelope> ClearStash();
}

internal sealed class Stash(ActorCell cell) : IStash
{
    private readonly LinkedList<Envelope> _stashed = [];

    void IStash.Stash()
    {
        var envelope = cell.CurrentEnvelope;
        if (_stashed.Last is { } last && ReferenceEquals(last.Value.Message, envelope.Message)
            && ReferenceEquals(last.Value.Sender, envelope.Sender))
        {
            throw new InvalidOperationException($"Can't stash the same message {envelope.Message} more than once");
        }

        _stashed.AddLast(envelope);
    }

    public void Unstash()
    {
        if (_stashed.First is { } first)
        {
            _stashed.RemoveFirst();
            cell.Prepend(first.Value);
        }
    }

    public void UnstashAll()
    {
        while (_stashed.Last is { } last)
        {
            _stashed.RemoveLast();
            cell.Prepend(last.Value);
        }
    }

    public IEnumerable<Envelope> ClearStash()
    {
        var stashed = _stashed.ToArray();
        _stashed.Clear();
        return stashed;
    }
}
