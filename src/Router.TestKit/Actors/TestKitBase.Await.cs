namespace Router.TestKit.Actors;

/// <summary>Expectations on time and on state that other threads change.</summary>
public abstract partial class TestKitBase
{
    /// <summary>Waits until the condition holds.</summary>
    public void AwaitCondition(Func<bool> conditionIsFulfilled, TimeSpan? max = null)
    {
        var wait = Remaining(max ?? SingleExpectDefault);
        if (!SpinWait.SpinUntil(conditionIsFulfilled, wait))
        {
            throw Failed($"Timeout {wait} while waiting for the condition");
        }
    }

    /// <summary>Repeats the assertion until it does not throw.</summary>
    public void AwaitAssert(Action assertion, TimeSpan? duration = null)
    {
        Exception? last = null;
        var passed = SpinWait.SpinUntil(
            () =>
            {
                try
                {
                    assertion();
                    return true;
                }
                catch (Exception e)
                {
                    last = e;
                    return false;
                }
            },
            Remaining(duration ?? SingleExpectDefault));
        if (!passed)
        {
            throw new AssertionFailedException("The assertion kept failing: " + last?.Message, last);
        }
    }

    /// <summary>The action must end in time; expectations inside wait no longer than what is left of it.</summary>
    public void Within(TimeSpan max, Action action) => Within(TimeSpan.Zero, max, action);

    /// <summary>The action must take at least and at most so long.</summary>
    public void Within(TimeSpan min, TimeSpan max, Action action) => Within(min, max, () =>
    {
        action();
        return true;
    });

    public T Within<T>(TimeSpan max, Func<T> function) => Within(TimeSpan.Zero, max, function);

    public T Within<T>(TimeSpan min, TimeSpan max, Func<T> function)
    {
        var start = Elapsed;
        var outerEnd = _withinEnd;
        _withinEnd = start + Remaining(max);
        try
        {
            var result = function();
            var took = Elapsed - start;
            return took < min || took > max
                ? throw Failed($"Block took {took}, should have taken {min} to {max}")
                : result;
        }
        finally
        {
            _withinEnd = outerEnd;
        }
    }
}
