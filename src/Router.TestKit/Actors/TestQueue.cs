namespace Router.TestKit.Actors;

/// <summary>The messages of a test actor: added by any thread, taken by the test.</summary>
internal sealed class TestQueue
{
    private readonly LinkedList<Envelope> _messages = [];

    public int Count
    {
        get
        {
            lock (_messages)
            {
                return _messages.Count;
            }
        }
    }

    public void Add(Envelope envelope)
    {
        lock (_messages)
        {
            _messages.AddLast(envelope);
            Monitor.Pulse(_messages);
        }
    }

    /// <summary>Puts a message back that was looked at but not wanted.</summary>
    public void AddFirst(Envelope envelope)
    {
        lock (_messages)
        {
            _messages.AddFirst(envelope);
            Monitor.Pulse(_messages);
        }
    }

    /// <summary>Takes the oldest message, waiting for one no longer than told.</summary>
    public bool TryTake(TimeSpan wait, out Envelope envelope)
    {
        var start = TimeProvider.System.GetTimestamp();
        lock (_messages)
        {
            while (_messages.First is null)
            {
                var left = wait - TimeProvider.System.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || !Monitor.Wait(_messages, left))
                {
                    break;
                }
            }

            if (_messages.First is not { } first)
            {
                envelope = default;
                return false;
            }

            _messages.RemoveFirst();
            envelope = first.Value;
            return true;
        }
    }
}
