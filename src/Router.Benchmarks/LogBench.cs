using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Net;
using Router.Reporting;
using Router.Reporting.Sinks;
using Router.Sessions;

namespace Router.Benchmarks;

/// <summary>What records of sessions cost: nanoseconds of the thread that logs, lines a second that a sink's writer
/// does, and CPU of the process per record, for each format. See bench/log-writer.sh.</summary>
/// <param name="folder">Of the file that is written.</param>
/// <param name="records">Of each round.</param>
/// <param name="output">Gets a line for each format.</param>
internal sealed class LogBench(string folder, int records, TextWriter output)
{
    private const int Queue = 65_536, Rounds = 3;

    private readonly AutoResetEvent _pause = new(initialState: false);

    private static readonly SocketAddr Peer = SocketAddr.From(new IPAddress([192, 0, 2, 7]), 5_000);
    private static readonly SocketAddr Local = SocketAddr.From(new IPAddress([192, 0, 2, 1]), 443);
    private static readonly SocketAddr Own = SocketAddr.From(new IPAddress([10, 0, 0, 1]), 41_000);

    public void Run()
    {
        const string Nginx = "{peer-address} [{closed-at:clf}] {transport:upper} {nginx-status} {bytes-out} {bytes-in} "
            + "{duration-ms:s} \"{upstream}\"";
        Measure("json, all fields", new JsonLineFormatter(), SinkFraming.Lines, null, []);
        Measure("json, 5 fields", new JsonLineFormatter(), SinkFraming.Lines, null,
            ["session", "peer", "duration-ms", "bytes-in", "reason"]);
        Measure("text", new TextLineFormatter(), SinkFraming.Lines, null, []);
        Measure("format of nginx", new JsonLineFormatter(), SinkFraming.Lines, Nginx, []);
        Measure("syslog, json", new SyslogFormat(3, "host", "router", new JsonLineFormatter()), SinkFraming.Counted,
            null, []);
        Measure("journal", new JournalFormat("router"), SinkFraming.Lines, null, []);
    }

    private static void Log(ILogger log, int number) => SessionLog.Closed(
        log, new SessionId(0x1234, (ulong)number), "web", "tcp", Peer, Local, "web", "10.0.0.10:80", Own,
        DateTimeOffset.UnixEpoch, 1_234, 10, 4_321, 12, 65_432, 0, null, 0, "peer", null, null, null, 2,
        null);

    private void Measure(string name, ILineFormat format, SinkFraming framing, string? line, string[] fields)
    {
        var shape = new AccessShape(
            line is null ? null : AccessFormat.Parse(line, static (_, _) => "", out _),
            [.. fields.Select(static field => AccessVariables.All[field])]);
        var path = Path.Combine(folder, "log");
        using var sinks = new SinkProvider(
            TimeProvider.System, static _ => true, TimeSpan.FromSeconds(10), TextWriter.Null);
        sinks.Open(
            new SinkPlan(
                "file", LogLines.All, format, framing,
                () => new FileOutput(new FileSinkOptions(path, LogFormat.Json, LogLines.All, 64 << 20, 1))),
            Queue);
        var log = AccessLog.RecordsOf(sinks.CreateLogger(RouterLogging.Category), shape);
        var best = (Loop: double.MaxValue, Rate: 0.0, Cpu: double.MaxValue);
        for (var round = 0; round <= Rounds; round++)
        {
            var (loop, rate, cpu) = Round(sinks, log);
            best = round == 0 ? best : (Math.Min(best.Loop, loop), Math.Max(best.Rate, rate), Math.Min(best.Cpu, cpu));
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-18} {best.Loop,6:0} ns of who logs, {best.Rate,9:0} lines/s, {best.Cpu,6:0.00} us CPU a record"));
    }

    /// <summary>Logs a part of the queue's size at once, and waits for it; so nothing is dropped.</summary>
    private (double LoopNs, double Rate, double CpuUs) Round(SinkProvider sinks, ILogger log)
    {
        var time = TimeProvider.System;
        var written = sinks.Figures[0].Written;
        var (began, cpu, logging) = (time.GetTimestamp(), Environment.CpuUsage.TotalTime, TimeSpan.Zero);
        for (var done = 0; done < records;)
        {
            var until = Math.Min(records, done + (Queue / 2));
            var start = time.GetTimestamp();
            for (; done < until; done++)
            {
                Log(log, done);
            }

            logging += time.GetElapsedTime(start);
            while (sinks.Figures[0].Written - written < done)
            {
                _pause.WaitOne(1);
            }
        }

        var elapsed = time.GetElapsedTime(began);
        cpu = Environment.CpuUsage.TotalTime - cpu;
        return (logging.TotalNanoseconds / records, records / elapsed.TotalSeconds, cpu.TotalMicroseconds / records);
    }
}
