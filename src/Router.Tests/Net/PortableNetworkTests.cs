using Router.Net;
using Router.Tests.Loop;

namespace Router.Tests.Net;

public sealed class PortableDatagramTests : DatagramContract
{
    private protected override INetwork CreateNetwork() => new PortableNetwork();
}

public sealed class PortableStreamTests : StreamContract
{
    private protected override INetwork CreateNetwork() => new PortableNetwork();
}

public sealed class PortableIoLoopTests : IoLoopContract
{
    private protected override INetwork CreateNetwork() => new PortableNetwork();
}
