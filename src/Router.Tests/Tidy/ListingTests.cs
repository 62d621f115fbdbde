using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Router.Tests.Tidy;

/// <summary>A listing of the pages compiles as it stands: in a new console project, where it may use what the other
/// listings of its page declare.</summary>
public sealed class ListingTests
{
    private const string Fence = "```";
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>What the SDK imports by itself: <c>ImplicitUsings</c> of Microsoft.NET.Sdk.</summary>
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(static path => Path.GetFileName(path) is not ("Router.Tests.dll" or "Quotes.dll" or "Tracker.dll"))
            .Select(static path => MetadataReference.CreateFromFile(path)),
    ];

    public static TheoryData<string, int> All
    {
        get
        {
            var all = new TheoryData<string, int>();
            foreach (var page in Repository.Files("", "*.md"))
            {
                for (var i = 0; i < Listings(page).Count; i++)
                {
                    all.Add(page, i);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_listing_compiles(string page, int index) => Findings.None(Compile(Listings(page), index));

    [Theory]
    [InlineData("public sealed class A : SessionHandler;", "CS0246")]   // it does not import what it uses
    [InlineData("using Router.Sessions;\n\nA.B();\n\npublic sealed class A : SessionHandler;", "CS0117")]
    public void One_that_does_not_is_found(string listing, string error) =>
        Assert.StartsWith(error, Assert.Single(Compile([listing], 0)));

    private static List<string> Compile(List<string> listings, int index)
    {
        var program = Parse(listings[index]);
        var isProgram = program.GetCompilationUnitRoot().Members.Any(static m => m is GlobalStatementSyntax);
        var compilation = CSharpCompilation.Create(
            "Listing",
            [
                Parse(ImplicitUsings), program,
                .. listings.Where((_, other) => other != index).Select(static other => TypesOf(Parse(other))),
            ],
            References,
            new CSharpCompilationOptions(
                isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary,
                nullableContextOptions: NullableContextOptions.Enable));
        return
        [
            .. compilation.GetDiagnostics()
                .Where(found => found.Location.SourceTree == program
                    && found.Severity is DiagnosticSeverity.Error or DiagnosticSeverity.Warning)
                .Select(static found => $"{found.Id} in line {LineOf(found)}: {found.GetMessage(Culture)}"),
        ];
    }

    private static int LineOf(Diagnostic found) => found.Location.GetLineSpan().StartLinePosition.Line + 1;

    private static SyntaxTree Parse(string code) => CSharpSyntaxTree.ParseText(code);

    /// <summary>Without statements: one compilation has one program.</summary>
    private static SyntaxTree TypesOf(SyntaxTree tree)
    {
        var root = tree.GetCompilationUnitRoot();
        return root.WithMembers([.. root.Members.Where(static m => m is not GlobalStatementSyntax)]).SyntaxTree;
    }

    private static List<string> Listings(string page)
    {
        var listings = new List<string>();
        var lines = Repository.ReadLines(page);
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i] == Fence + "csharp")
            {
                var end = Array.IndexOf(lines, Fence, i);
                listings.Add(string.Join('\n', lines[(i + 1)..end]));
                i = end;
            }
        }

        return listings;
    }
}
