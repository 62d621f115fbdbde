using System.Globalization;

namespace Router.Running;

/// <summary>What the system says of a thread of this process.</summary>
/// <param name="State"><c>running</c>, also while it waits for a processor; <c>sleeping</c>; <c>disk</c>, a sleep that
/// no signal ends; or <c>stopped</c>.</param>
/// <param name="Cpu">The processor time that it has had, to 10 ms.</param>
internal readonly record struct ThreadFigures(string State, TimeSpan Cpu)
{
    /// <summary>USER_HZ, in which proc(5) counts, whatever the kernel's own clock.</summary>
    private const int TicksPerSecond = 100;

    /// <summary>Reads <c>/proc/self/task/N/stat</c>, proc(5).</summary>
    /// <param name="thread">Its number in the system; 0 if that is not known.</param>
    /// <returns>Null where there is no such thread, or no such file system.</returns>
    public static ThreadFigures? Read(int thread)
    {
        try
        {
            return thread == 0
                ? null
                : Parse(File.ReadAllText(
                    string.Create(CultureInfo.InvariantCulture, $"/proc/self/task/{thread}/stat")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <param name="stat">The name of a thread, in parentheses, may have any characters.</param>
    internal static ThreadFigures? Parse(string stat)
    {
        const int UserTime = 11, SystemTime = 12;   // counted from the state, which is field 3 of proc(5)
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length <= SystemTime
            || !long.TryParse(fields[UserTime], CultureInfo.InvariantCulture, out var user)
            || !long.TryParse(fields[SystemTime], CultureInfo.InvariantCulture, out var system))
        {
            return null;
        }

        var state = fields[0] switch
        {
            "R" => "running",
            "D" => "disk",
            "T" or "t" => "stopped",
            _ => "sleeping",
        };
        return new ThreadFigures(state, TimeSpan.FromSeconds((user + system) / (double)TicksPerSecond));
    }
}

/// <summary>What the scheduler has given to a thread of this process.</summary>
/// <param name="Cpu">Time on a processor.</param>
/// <param name="Delay">Time that it was ready to run, and another had the processor.</param>
internal readonly record struct ThreadTimes(TimeSpan Cpu, TimeSpan Delay)
{
    /// <summary>Reads <c>/proc/self/task/N/schedstat</c>, proc(5): nanoseconds.</summary>
    /// <param name="thread">Its number in the system; 0 if that is not known.</param>
    /// <returns>Null where there is no such thread, or the system does not say.</returns>
    public static ThreadTimes? Read(int thread)
    {
        try
        {
            return thread == 0
                ? null
                : Parse(File.ReadAllText(
                    string.Create(CultureInfo.InvariantCulture, $"/proc/self/task/{thread}/schedstat")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static ThreadTimes? Parse(string stat) =>
        stat.Split(' ') is [var cpu, var delay, ..]
        && long.TryParse(cpu, CultureInfo.InvariantCulture, out var cpuNs)
        && long.TryParse(delay, CultureInfo.InvariantCulture, out var delayNs)
            ? new ThreadTimes(TimeSpan.FromMicroseconds(cpuNs / 1000.0), TimeSpan.FromMicroseconds(delayNs / 1000.0))
            : null;
}
