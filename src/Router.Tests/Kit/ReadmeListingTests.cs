using Router.Tests.Tidy;

namespace Router.Tests.Kit;

/// <summary>What the README shows in C# is what the tests of these files run, to the letter.</summary>
public sealed class ReadmeListingTests
{
    [Theory]
    [InlineData("EchoListingTests.cs", "    [Fact]")]
    [InlineData("EchoListingTests.cs", "/// <summary>Sends every payload")]
    [InlineData("QuoteListingTests.cs", "/// <summary>Asks an actor")]
    public void A_listing_is_in_the_readme_as_it_runs(string file, string from)
    {
        var readme = Repository.Read("README.md");
        var source = Repository.Read($"src/Router.Tests/Kit/{file}");
        var listing = source[source.IndexOf(from, StringComparison.Ordinal)..];
        if (from.StartsWith(' '))
        {
            listing = listing[..(listing.IndexOf("\n    }\n", StringComparison.Ordinal) + "\n    }\n".Length)];
        }

        Assert.Contains(listing, readme);
    }
}
