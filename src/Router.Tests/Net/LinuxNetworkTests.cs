using Router.Net;

namespace Router.Tests.Net;

public sealed class LinuxDatagramTests : DatagramContract
{
    protected override INetwork CreateNetwork() => new LinuxNetwork();
}

public sealed class LinuxDatagramWithoutSegmentationTests : DatagramContract
{
    protected override INetwork CreateNetwork() => new LinuxNetwork(LinuxCalls.Kernel, coalesce: false);
}

public sealed class LinuxStreamTests : StreamContract
{
    protected override INetwork CreateNetwork() => new LinuxNetwork();
}
