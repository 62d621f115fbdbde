using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;

namespace Router.Reporting;

/// <summary>Says in one plain line a second what Akka says of a member that is gone or late in many, with the text of
/// its stack. All else that Akka says is left as it is. One thread at a time.</summary>
internal sealed partial class RemotingLog : IDisposable
{
    private const int ErrorCharsMax = 200;

    /// <summary>How what is told of a lost connection begins; such an end is in order, and the other end's too.
    /// </summary>
    private static readonly string[] Lost =
    [
        "Disassociated", "Association with remote system", "Association to [", "Tried to associate with unreachable",
        "No response from remote", "Detected unreachable", "Error caught channel", "Invalid association",
        "Unable to REMOVE channel", "Underlying transport error", "The remote system",
    ];

    private readonly ILogger _log;
    private readonly BurstLog<(string Peer, string Error)> _links;
    private readonly BurstLog<(string Peer, string Error)> _late;

    public RemotingLog(ILogger log, TimeProvider time)
    {
        _log = log;
        _links = new(
            (last, count) => ClusterLog.LinkLost(log, last.Peer, last.Error, count), time);
        _late = new(
            (last, count) => ClusterLog.Late(log, last.Peer, last.Error, count), time);
    }

    public void Dispose()
    {
        _links.Dispose();
        _late.Dispose();
    }

    /// <returns>Whether it is told here; else the caller tells it.</returns>
    public bool Takes(LogEvent said)
    {
        var text = said.Message?.ToString() ?? "";
        if (text.StartsWith("Couldn't join seed nodes", StringComparison.Ordinal))
        {
            TellUnanswered(text);
            return true;
        }

        if (!IsRemoting(said))
        {
            return false;
        }

        if (text.Contains("heartbeat interval is growing too large", StringComparison.Ordinal))
        {
            _late.Add((PeerOf(said, text), ErrorOf(text, cause: null)));
            return true;
        }

        if (Array.Exists(Lost, begin => text.StartsWith(begin, StringComparison.Ordinal)))
        {
            _links.Add((PeerOf(said, text), ErrorOf(text, said.Cause)));
            return true;
        }

        return false;
    }

    private static bool IsRemoting(LogEvent said) =>
        said.LogClass?.Assembly == typeof(Akka.Remote.RemoteActorRefProvider).Assembly
        || said.LogSource.StartsWith("remoting", StringComparison.Ordinal)
        || said.LogSource.Contains("/system/endpointManager", StringComparison.Ordinal)
        || said.LogSource.Contains("/system/transports", StringComparison.Ordinal);

    /// <summary><c>10.0.0.7:27200</c>, by the text, else by the actor that says it.</summary>
    private static string PeerOf(LogEvent said, string text)
    {
        var inText = Address().Matches(text);
        if (inText.Count > 0)
        {
            return inText[0].Groups[1].Value;
        }

        var inSource = Address().Matches(Uri.UnescapeDataString(said.LogSource));
        return inSource.Count > 0 ? inSource[^1].Groups[1].Value : "-";
    }

    /// <summary>The reason that the text gives, without names of types and places in code.</summary>
    private static string ErrorOf(string text, Exception? cause)
    {
        var reason = Reason().Match(text);
        var error = reason.Success ? reason.Groups[1].Value
            : cause is null ? text
            : cause.GetBaseException().Message;
        error = LineText.Escape(TypeName().Replace(error.Split('\n')[0], "").Trim(' ', '[', ']', '\r'));
        return error.Length <= ErrorCharsMax ? error : $"{error[..ErrorCharsMax]}...";
    }

    /// <summary>Tried every second or two: told when the tries have doubled.</summary>
    private void TellUnanswered(string text)
    {
        var number = Number().Match(text).Groups[1].Value;
        if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var tries)
            && BitOperations.IsPow2(tries))
        {
            var asked = Address().Matches(text).Select(static match => match.Groups[1].Value);
            ClusterLog.Unanswered(_log, tries, string.Join(' ', asked));
        }
    }

    [GeneratedRegex(
        @"akka(?:\.\w+)+://[^@\s\]]+@((?:\[[^\]]+\]|[^\]\s/,:]+):\d+)", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Address();

    [GeneratedRegex(@"Reason(?: is)?: \[(.*)", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Reason();

    [GeneratedRegex(@"^(?:[A-Z]\w*\.)+\w*Exception: ", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex TypeName();

    [GeneratedRegex(@"after \[(\d+)\] attempts", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Number();
}
