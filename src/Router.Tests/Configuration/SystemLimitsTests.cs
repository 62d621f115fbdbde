using Router.Configuration;
using Router.Tests.Configuration.Hocon;

namespace Router.Tests.Configuration;

public sealed class SystemLimitsTests
{
    [Fact]
    public void They_are_read_from_the_kernels_files()
    {
        using var proc = new TemporaryFolder();
        proc.Write("sys/net/core/somaxconn", "4096\n");
        proc.Write("sys/net/core/rmem_max", "212992\n");
        proc.Write("sys/net/core/wmem_max", "unlimited\n");
        var limits = proc.Write("self/limits",
            "Limit                     Soft Limit           Hard Limit           Units     \n"
            + "Max open files            20000                1048576              files     \n");

        Assert.Equal(
            new SystemLimits(4_096, 212_992, null, 20_000),
            SystemLimits.Read(Path.GetDirectoryName(Path.GetDirectoryName(limits))!));
    }

    [Fact]
    public void Where_there_are_none_nothing_is_known() =>
        Assert.Equal(SystemLimits.Unknown, SystemLimits.Read("/nowhere"));
}
