using Xunit.Sdk;

namespace Router.Tests.Functional;

/// <summary>Waits for what other processes do, always bounded.</summary>
internal static class Until
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    /// <summary>Looks until the condition holds.</summary>
    /// <returns>How long it took.</returns>
    /// <exception cref="XunitException">It did not hold within the time; names <paramref name="what"/>.</exception>
    public static async Task<TimeSpan> TrueAsync(Func<bool> condition, Func<string> what, TimeSpan? within = null)
    {
        var limit = within ?? RunningProcess.Patience;
        var start = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(LookEvery);
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > limit)
            {
                throw new XunitException($"Not within {limit.TotalSeconds} s: {what()}");
            }

            await timer.WaitForNextTickAsync();
        }

        return TimeProvider.System.GetElapsedTime(start);
    }

    /// <summary>Lets time pass that is itself what is measured, such as a window of idleness.</summary>
    public static async Task PassedAsync(TimeSpan window)
    {
        using var timer = new PeriodicTimer(window);
        await timer.WaitForNextTickAsync();
    }
}
