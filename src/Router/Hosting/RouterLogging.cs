using Microsoft.Extensions.Logging;
using Router.Diagnostics;

namespace Router.Hosting;

/// <summary>The process's log, as configured; within a host it is the host's own.</summary>
internal static class RouterLogging
{
    public static ILoggerFactory Create(Configuration.LogOptions options) => LoggerFactory.Create(builder => builder
        .SetMinimumLevel(options.Level)
        .AddRouterConsole(FormatOf(options.Format), options.Queue));

    private static LogFormat FormatOf(Configuration.LogFormat format) => format switch
    {
        Configuration.LogFormat.Json => LogFormat.Json,
        Configuration.LogFormat.Text => LogFormat.Text,
        _ => LogFormat.Auto,
    };
}
