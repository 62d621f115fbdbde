using Microsoft.Extensions.Logging;
using Router.Reporting;
using Router.Running;

namespace Router.Admin;

/// <summary>The router that an admin endpoint shows, and what the process or the program does for it.</summary>
/// <param name="Engine">The router.</param>
/// <param name="Log">The router's.</param>
/// <param name="Events">What is logged, as it is.</param>
/// <param name="Time">The clock.</param>
/// <param name="Level">Of the process's log; null where the log is the program's.</param>
/// <param name="Drain">Begins the stop, as SIGTERM does; returns at once.</param>
internal sealed record AdminHost(
    RouterEngine Engine, ILogger Log, EventFeed Events, TimeProvider Time, LogThreshold? Level, Action Drain);
