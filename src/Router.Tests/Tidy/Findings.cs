namespace Router.Tests.Tidy;

/// <summary>Fails with all that was found, a line each.</summary>
internal static class Findings
{
    public static void None(IEnumerable<string> found)
    {
        var all = string.Join(Environment.NewLine, found);
        if (all.Length > 0)
        {
            Assert.Fail(Environment.NewLine + all);
        }
    }
}
