using System.Reflection;
using System.Text.RegularExpressions;
using Router.Net;
using Router.Tests.Tidy;

namespace Router.Tests.Net;

/// <summary>docs/errors.md and <see cref="ErrnoText"/> say the same, and every row has its test.</summary>
public sealed partial class ErrorsPageTests
{
    private static readonly IReadOnlyList<PageRow> Rows =
    [
        .. Row().Matches(Repository.Read("docs/errors.md")).Select(static row => new PageRow(
            Enum.Parse<Errno>(row.Groups[1].Value),
            row.Groups[2].Value,
            [.. row.Groups[3].Value.Split(", ").Select(static word => Enum.Parse<SocketOperation>(word, true))],
            row.Groups[4].Value,
            row.Groups[5].Value)),
    ];

    [Fact]
    public void Every_row_has_the_text_and_the_advice_that_users_are_given() => Assert.All(Rows, static row =>
    {
        Assert.Equal(ErrnoText.Text(row.Errno), row.Text);
        Assert.All(row.While, operation => Assert.Equal(ErrnoText.Advice(row.Errno, operation), row.Advice));
    });

    [Fact]
    public void Every_advice_has_its_row()
    {
        var advised =
            from errno in Enum.GetValues<Errno>()
            from operation in Enum.GetValues<SocketOperation>()
            where operation != SocketOperation.Start   // of a process, no socket's
            let advice = ErrnoText.Advice(errno, operation)
            where advice.Length > 0
            select (errno, advice);

        Assert.All(advised.Distinct(), advice =>
            Assert.Contains(Rows, row => row.Errno == advice.errno && row.Advice == advice.advice));
    }

    [Fact]
    public void Every_row_names_a_test_that_there_is()
    {
        var tests =
            from type in typeof(ErrorsPageTests).Assembly.GetTypes()
            from method in type.GetMethods()
            where method.GetCustomAttributes<FactAttribute>().Any()
            select $"{type.Name}.{method.Name}";

        Assert.Empty(Rows.Select(static row => row.Test).Except(tests));
    }

    [GeneratedRegex(
        @"^\| `(E[A-Z]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| [^|]+ \| `([^`|]+)` \|$",
        RegexOptions.Multiline,
        1000)]
    private static partial Regex Row();

    private sealed record PageRow(
        Errno Errno, string Text, IReadOnlyList<SocketOperation> While, string Advice, string Test);
}
