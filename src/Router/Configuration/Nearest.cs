namespace Router.Configuration;

/// <summary>Finds the word that somebody may have meant.</summary>
internal static class Nearest
{
    /// <returns><c>; did you mean 'x'?</c>, or nothing when no candidate is near.</returns>
    public static string Hint(string word, IEnumerable<string> candidates) =>
        Find(word, candidates) is { } near ? $"; did you mean '{near}'?" : "";

    /// <returns>The candidate with the fewest edits, if they are at most a third of the word, two at least.</returns>
    public static string? Find(string word, IEnumerable<string> candidates)
    {
        var best = candidates
            .Select(c => (Candidate: c, Edits: Edits(word, c)))
            .OrderBy(p => p.Edits)
            .FirstOrDefault();
        return best.Candidate is not null && best.Edits <= Math.Max(2, word.Length / 3) ? best.Candidate : null;
    }

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours that make one word of the other.</summary>
    private static int Edits(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    rows[i, j] = i + j;
                    continue;
                }

                var same = a[i - 1] == b[j - 1] ? 0 : 1;
                var edits = Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + same);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    edits = Math.Min(edits, rows[i - 2, j - 2] + 1);
                }

                rows[i, j] = edits;
            }
        }

        return rows[a.Length, b.Length];
    }
}
