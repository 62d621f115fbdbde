namespace Router.Upstreams;

/// <summary>One after the other.</summary>
internal static class RoundRobin
{
    /// <summary>Picks the candidate whose turn it is among those that are not excluded.</summary>
    /// <param name="turn">Grows by one with every pick: every run of as many turns as there are candidates picks each
    /// once.</param>
    /// <param name="excluded">One flag per candidate.</param>
    /// <returns>An index, or -1 when all are excluded.</returns>
    public static int Pick(uint turn, ReadOnlySpan<bool> excluded)
    {
        var left = excluded.Count(false);
        if (left == 0)
        {
            return -1;
        }

        var place = (int)(turn % (uint)left);
        for (var i = 0; ; i++)
        {
            if (!excluded[i] && place-- == 0)
            {
                return i;
            }
        }
    }
}
