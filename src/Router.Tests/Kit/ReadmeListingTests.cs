using Router.Tests.Tidy;

namespace Router.Tests.Kit;

/// <summary>What the README and the pages show in C# is what the tests of these files run, to the letter.</summary>
public sealed class ReadmeListingTests
{
    [Theory]
    [InlineData("README.md", "EchoListingTests.cs", "    [Fact]")]
    [InlineData("README.md", "EchoListingTests.cs", "/// <summary>Sends every payload")]
    [InlineData("README.md", "QuoteListingTests.cs", "/// <summary>Asks an actor")]
    [InlineData("docs/handlers.md", "VisitListingTests.cs", "/// <summary>Counts the visits")]
    public void A_listing_is_in_its_page_as_it_runs(string page, string file, string from)
    {
        var text = Repository.Read(page);
        var source = Repository.Read($"src/Router.Tests/Kit/{file}");
        var listing = source[source.IndexOf(from, StringComparison.Ordinal)..];
        if (from.StartsWith(' '))
        {
            listing = listing[..(listing.IndexOf("\n    }\n", StringComparison.Ordinal) + "\n    }\n".Length)];
        }

        Assert.Contains(listing, text);
    }
}
