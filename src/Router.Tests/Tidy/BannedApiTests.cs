using System.Text.RegularExpressions;

namespace Router.Tests.Tidy;

/// <summary>
/// Time, randomness, sockets and names are reached through seams only, so that a seed replays everything.
/// </summary>
public sealed class BannedApiTests
{
    private const string Ours = "src/Router/";

    private static readonly Ban[] Bans =
    [
        new(@"\bDateTime(Offset)?\.(Utc)?(Now|Today)\b", "TimeProvider.GetUtcNow", "src/"),
        new(@"\bStopwatch\b", "TimeProvider.GetTimestamp", "src/"),
        new(@"\bEnvironment\.TickCount", "TimeProvider.GetTimestamp", "src/"),
        new(@"\bThread\.Sleep\b", "virtual time, or waiting for what is meant to happen", "src/"),
        new(@"\bTask\.Delay\b", "virtual time, or waiting for what is meant to happen", "src/"),
        new(@"\bnew (System\.)?Random\(\)", "RandomSource, or a Random with a seed", "src/"),
        new(@"\bRandom\.Shared\b", "RandomSource, or a Random with a seed", "src/"),
        new(@"\bGuid\.(NewGuid|CreateVersion7)\b", "RandomSource", "src/"),
        new(@"\bRandomNumberGenerator\b", "RandomSource", Ours),
        new(@"\bTimeProvider\.System\b", "a TimeProvider that was handed in", Ours),
        new(@"\bnew (System\.Threading\.|System\.Timers\.)?Timer\(", "the loop's timers or an actor's", Ours),
        new(@"\bnew (System\.Net\.Sockets\.)?(Socket|UdpClient|TcpClient)\(", "INetwork", Ours),
        new(@"\bDns\.", "INameResolver", Ours),
        // Akka's is of whose turn it is: in a direct turn, or a call from another session's, not one's own.
        new(@"(?<![\w.])Context\.", "the context kept from the constructor", "src/Router/Sessions/"),
        new(@"(?<![\w.])Context\.", "the context of the session", "src/Router/Routes/"),
        new(@"(?<![\w.])Context\.", "the context kept from the constructor", "src/Router/Listeners/"),
        new(@"\bConsole\.(Write|Out|Error|Read)", "the log, or a writer that was handed in", Ours),
    ];

    /// <summary>Where a seam touches the ground. Nothing else belongs here.</summary>
    private static readonly Exception[] Exceptions =
    [
        new("src/Router/Net/RandomSource.cs", "RandomNumberGenerator", "the system's randomness behind the seam"),
        new("src/Router/Net/Portable/", "new Socket(", "the portable sockets behind the seam"),
        new("src/Router/Reporting/Sinks/SocketOutput.cs", "new Socket(", "the log's own, which block their own thread"),
        new("src/Router/Net/ServerSocket.cs", "new Socket(", "the sockets of a server of the base library"),
        new("src/Router/Upstreams/INameResolver.cs", "Dns.", "the system's resolver behind the seam"),
        new("src/Router/Listeners/BranchActor.cs", "Context.", "used in its own turns alone"),
        new("src/Router/CommandLine/Client/AdminTarget.cs", "new Socket(", "how a command connects"),
        new("src/Router/Program.cs", "Console.", "where the process's writers are handed in"),
        new("src/Router/Reporting/ActorLogActor.cs", "TimeProvider.System", "in a program's system, made by Akka"),
        new("src/Router/Program.cs", "TimeProvider.System", "where the commands' clock is handed in"),
        new("src/Router/Hosting/RouterRunner.cs", "TimeProvider.System", "where the process's clock is handed in"),
        new("src/Router/Hosting/RouterServiceCollectionExtensions.cs", "TimeProvider.System", "a host's default clock"),
        new("src/Router/Hosting/AkkaRouterExtensions.cs", "TimeProvider.System", "a program's default clock"),
        new("src/Router/Hosting/RouterConfiguration.cs", "TimeProvider.System", "a clock of what is never started"),
        new("src/Router/Net/Linux/BootClock.cs", "TimeProvider.System", "where the system's clock is told from others"),
        new("src/Router/Loop/ThreadTimer.cs", "TimeProvider.System", "where a clock that goes by itself is told apart"),
        new("src/Router/Loop/ClockScheduler.cs", "TimeProvider.System", "an actor system that the program made itself"),
    ];

    [Fact]
    public void What_is_banned_is_used_only_where_a_seam_touches_the_ground() =>
        Findings.None(Uses().Where(static use => !Exceptions.Any(use.IsExcepted)).Select(static use => use.Text));

    [Fact]
    public void Every_exception_is_still_needed() =>
        Assert.All(Exceptions, static exception => Assert.Contains(Uses(), use => use.IsExcepted(exception)));

    private static IEnumerable<Use> Uses() =>
        from file in SourceFile.All
        from ban in Bans
        where file.Path.StartsWith(ban.Under, StringComparison.Ordinal)
        from Match match in Regex.Matches(file.Code, ban.Pattern, RegexOptions.None, TimeSpan.FromSeconds(5))
        let line = file.Code.AsSpan(0, match.Index).Count('\n') + 1
        select new Use(file.Path, match.Value, $"{file.Path}:{line}: {match.Value}: use {ban.Instead}");

    private sealed record Ban(string Pattern, string Instead, string Under);

    private sealed record Exception(string Path, string Match, string Reason);

    private sealed record Use(string Path, string Match, string Text)
    {
        public bool IsExcepted(Exception exception) =>
            Path.StartsWith(exception.Path, StringComparison.Ordinal)
            && Match.StartsWith(exception.Match, StringComparison.Ordinal);
    }
}
