namespace Router.Configuration;

/// <summary>Permission bits of a socket's file, as a configuration writes them: in octal, as text.</summary>
internal static class UnixFileModes
{
    public const string Words = "is written in octal, as text: \"0660\" lets owner and group connect, \"0666\" "
        + "everybody, \"0600\" the owner alone";

    private const int ModeMax = 0x1FF;   // 0777

    /// <returns>Negative for what is no mode.</returns>
    public static int Parse(string text) =>
        text.Length is 3 or 4 && text.All(static c => c is >= '0' and <= '7') ? Convert.ToInt32(text, 8) : -1;

    public static bool IsMode(int mode) => mode is >= 0 and <= ModeMax;
}
