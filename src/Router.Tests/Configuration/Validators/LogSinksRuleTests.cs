using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

public sealed class LogSinksRuleTests
{
    [Theory]
    [InlineData("sinks = file", "router.log.file.path", "must be set, as log.sinks has file")]
    [InlineData("sinks = [stdout, syslog]", "router.log.syslog.address", "unixgram:///dev/log")]
    [InlineData("sinks = [stdot]", "router.log.sinks", "did you mean 'stdout'?")]
    [InlineData("syslog.address = \"10.0.0.1:514\"", "router.log.syslog.address", "must begin with udp://")]
    [InlineData("syslog.address = \"udp://10.0.0.1\"", "router.log.syslog.address", "must end with a port")]
    [InlineData("syslog.address = \"unixgram://dev/log\"", "router.log.syslog.address", "relative path")]
    [InlineData("syslog.app-name = \"a b\"", "router.log.syslog.app-name", "without blanks")]
    public void What_a_sink_lacks_is_a_fault_with_its_place(string log, string path, string message) =>
        Loaded.Refuses(Load(log), path, message);

    [Theory]
    [InlineData("file.path = /x")]
    [InlineData("sinks = [file, syslog], file.path = /x, syslog.address = \"unixgram:///dev/log\"")]
    [InlineData("sinks = syslog, syslog.address = \"tcp://[::1]:601\"")]
    public void What_is_there_may_be_used_or_not(string log) => Assert.Empty(Load(log).Faults);

    private static LoadResult Load(string log) => Loaded.Result(
        "router {\n routes.r { type = echo }\n listeners.l { bind = \"udp://127.0.0.1:1\", route = r }\n"
        + $" log {{ {log} }}\n}}");
}
