using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

public sealed class BufferGrantedRuleTests
{
    private static readonly SystemLimits Kernel =
        SystemLimits.Unknown with { ReceiveBuffer = 212_992, SendBuffer = 8_192 };

    [Theory]
    [InlineData("receive-buffer", "212993", "net.core.rmem_max=212993")]
    [InlineData("session-receive-buffer", "212993", "net.core.rmem_max=212993")]
    [InlineData("send-buffer", "9 KiB", "net.core.wmem_max=9216")]
    public void A_buffer_above_the_kernels_is_a_warning_with_the_remedy(string key, string size, string remedy) =>
        Loaded.Warns(Loaded.Pair($"bind = \"udp://127.0.0.1:5\", {key} = {size}", "type = echo", Kernel),
            $"router.listeners.l.{key}", remedy);

    [Fact]
    public void What_is_granted_and_the_defaults_are_not() =>
        Assert.Empty(Loaded.Pair("bind = \"udp://127.0.0.1:5\", send-buffer = 8 KiB", "type = echo", Kernel).Warnings);
}
