namespace Router.Actors;

/// <summary>Letters that have been handled and wait to be used again. One thread's own, but for what is handed
/// back.</summary>
/// <remarks>
/// A thread that is told more than it tells ends up with the letters of those that only tell. What is beyond its own
/// bound it hands back, list by list, to the dispatcher whose actor was told, where whoever tells its actors and has no
/// letter takes them: in a steady state neither makes any. What nobody takes is left to the collector.
/// A loop hands back all letters from elsewhere, and uses them itself only where it has none of its own: one that was
/// made just now would go through all its old actors, one after another, and the next collection would look through
/// each of them for it, 15 ms in a million sessions.
/// </remarks>
/// <param name="kept">Letters the thread keeps for itself.</param>
internal sealed class LetterPool(int kept)
{
    /// <summary>Letters of one list that is handed back: so few are not worth an atomic operation, so many are
    /// enough.</summary>
    internal const int HandedBackLeast = 64, HandedBackMost = 1024;

    /// <summary>Notifications of deaths kept: as many as a parent stops children in a turn.</summary>
    internal const int DeathsKept = 1024;

    private DeathWatchNotification? _deaths;
    private int _deathsCount;
    private Letter? _top;
    private int _count;
    private Letter? _taken;     // a list that was handed back by others
    private Letter? _surplus;   // the list to be handed back next
    private int _surplusCount;

    /// <summary>Letters held here now, those to be handed back included; for tests.</summary>
    internal int Held => _count + _surplusCount;

    /// <summary>A letter, new only if there is none here nor any handed back to <paramref name="receiver"/>.</summary>
    public Letter Rent(MessageDispatcher receiver, object message, IActorRef? sender)
    {
        var letter = _top;
        if (letter is not null)
        {
            _top = letter.Next;
            _count--;
            letter.Next = null;
        }
        else
        {
            letter = TakeSurplus() ?? Take(receiver);
        }

        letter.Message = message;
        letter.Sender = sender;
        return letter;
    }

    /// <summary>Takes a handled letter that an actor of <paramref name="receiver"/> was told by.</summary>
    public void Return(MessageDispatcher receiver, Letter letter)
    {
        letter.Message = null;
        letter.Sender = null;
        if (_count < kept && !letter.IsFromElsewhere)
        {
            letter.Next = _top;
            _top = letter;
            _count++;
        }
        else
        {
            letter.IsFromElsewhere = false;
            HandBack(receiver, letter);
        }
    }

    /// <summary>A notification that has been handled, or null.</summary>
    public DeathWatchNotification? TakeDeath()
    {
        var death = _deaths;
        if (death is not null)
        {
            _deaths = (DeathWatchNotification?)death.Next;
            _deathsCount--;
            death.Next = null;
        }

        return death;
    }

    /// <summary>Takes a notification that has been handled.</summary>
    public void KeepDeath(DeathWatchNotification death)
    {
        if (_deathsCount < DeathsKept)
        {
            death.Next = _deaths;
            _deaths = death;
            _deathsCount++;
        }
    }

    private Letter? TakeSurplus()
    {
        var letter = _surplus;
        if (letter is not null)
        {
            _surplus = letter.Next;
            _surplusCount--;
            letter.Next = null;
        }

        return letter;
    }

    private Letter Take(MessageDispatcher receiver)
    {
        if ((_taken ??= receiver.TakeHandedBack()) is not { } letter)
        {
            return new Letter();
        }

        _taken = letter.Next;
        letter.Next = null;
        return letter;
    }

    private void HandBack(MessageDispatcher receiver, Letter letter)
    {
        if (_surplusCount < HandedBackMost)
        {
            letter.Next = _surplus;
            _surplus = letter;
            _surplusCount++;
        }

        if (_surplusCount >= HandedBackLeast && receiver.TryHandBack(_surplus!))
        {
            _surplus = null;
            _surplusCount = 0;
        }
    }
}
