using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Router.Configuration.Hocon;

/// <summary>What one resolution may still cost: characters and elements, and evaluations inside each other.</summary>
internal sealed class ResolutionBudget
{
    private const int StackBytes = 16 << 20;

    private long _left = HoconLimits.Weight;
    private int _depth;

    public static HoconException TooBig(HoconOrigin origin) =>
        new(origin, $"substitutions expand to more than {HoconLimits.Weight >> 20} Mi characters and elements");

    public void Charge(HoconOrigin origin, long amount)
    {
        _left -= amount;
        if (_left < 0)
        {
            throw TooBig(origin);
        }
    }

    /// <summary>Runs an evaluation inside those that are running already.</summary>
    public T Nest<T>(HoconOrigin origin, Func<T> evaluation)
    {
        _depth++;
        try
        {
            return _depth > HoconLimits.ResolutionDepth
                ? throw new HoconException(origin, "substitutions lead through too many others")
                : RuntimeHelpers.TryEnsureSufficientExecutionStack() ? evaluation() : OnFreshStack(origin, evaluation);
        }
        finally
        {
            _depth--;
        }
    }

    /// <summary>A stack overflow cannot be caught, so a deep evaluation goes on with a stack of its own.</summary>
    private static T OnFreshStack<T>(HoconOrigin origin, Func<T> evaluation)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = evaluation();
                }
                catch (Exception e)
                {
                    failure = ExceptionDispatchInfo.Capture(e);
                }
            },
            StackBytes);
        try
        {
            thread.Start();
        }
        catch (Exception none) when (none is OutOfMemoryException or ThreadStartException)
        {
            throw new HoconException(origin, "no thread can be had to read what is nested so deeply: see 'ulimit -u'");
        }

        thread.Join();
        failure?.Throw();
        return result;
    }
}
