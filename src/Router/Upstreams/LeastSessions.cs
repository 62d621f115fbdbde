namespace Router.Upstreams;

/// <summary>The candidate with the fewest sessions.</summary>
internal static class LeastSessions
{
    /// <summary>
    /// Picks among those that are not excluded; candidates with equally few take turns, or the first would get every
    /// short session.
    /// </summary>
    /// <param name="sessions">Live sessions of each candidate.</param>
    /// <param name="turn">Grows by one with every pick.</param>
    /// <param name="excluded">One flag per candidate.</param>
    /// <returns>An index, or -1 when all are excluded.</returns>
    public static int Pick(ReadOnlySpan<int> sessions, uint turn, ReadOnlySpan<bool> excluded)
    {
        var fewest = int.MaxValue;
        var equals = 0;
        for (var i = 0; i < sessions.Length; i++)
        {
            if (excluded[i] || sessions[i] > fewest)
            {
                continue;
            }

            equals = sessions[i] == fewest ? equals + 1 : 1;
            fewest = sessions[i];
        }

        return equals == 0 ? -1 : Nth(sessions, excluded, fewest, (int)(turn % (uint)equals));
    }

    private static int Nth(ReadOnlySpan<int> sessions, ReadOnlySpan<bool> excluded, int figure, int place)
    {
        for (var i = 0; ; i++)
        {
            if (!excluded[i] && sessions[i] == figure && place-- == 0)
            {
                return i;
            }
        }
    }
}
