namespace Router.Actors;

/// <summary>Names of actors that were given none: "$" and the number in base 64, lowest digit first.</summary>
internal static class AutomaticName
{
    private const string Digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+~";

    public static string Of(int number)
    {
        Span<char> name = stackalloc char[8];
        name[0] = '$';
        var length = 1;
        var rest = (uint)number;
        do
        {
            name[length++] = Digits[(int)(rest & 63)];
            rest >>= 6;
        }
        while (rest != 0);

        return new string(name[..length]);
    }

    /// <summary>The number of such a name, or -1.</summary>
    public static int Parse(string name)
    {
        if (name.Length is < 2 or > 7 || name[0] != '$')
        {
            return -1;
        }

        var number = 0L;
        for (var i = name.Length - 1; i > 0; i--)
        {
            var digit = Digits.IndexOf(name[i]);
            if (digit < 0)
            {
                return -1;
            }

            number = (number << 6) | (uint)digit;
        }

        return number <= int.MaxValue ? (int)number : -1;
    }
}
