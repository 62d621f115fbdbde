using Microsoft.Playwright;

namespace Router.Tests.Functional;

/// <summary>The system's Chromium, started once for all tests of a class.</summary>
public sealed class Browser : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>A tab of its own, with storage of its own, that keeps what goes wrong in it.</summary>
    /// <param name="width">In CSS pixels.</param>
    /// <param name="isDark">What the system of its user prefers.</param>
    internal async Task<(IPage Page, List<string> Faults)> OpenAsync(int width = 1280, bool isDark = false)
    {
        _playwright ??= await Playwright.CreateAsync();
        _browser ??= await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = RequiredTools.PathOf("chromium"),
        });
        var page = await _browser.NewPageAsync(new BrowserNewPageOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 900 },
            ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
        });
        page.SetDefaultTimeout(10_000);
        var faults = new List<string>();
        page.PageError += (_, error) => faults.Add(error);
        page.Console += (_, message) => faults.AddRange(message.Type == "error" ? [message.Text] : []);
        page.Dialog += (_, dialog) => faults.Add(dialog.Message);
        return (page, faults);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await (_browser?.CloseAsync() ?? Task.CompletedTask);
        _playwright?.Dispose();
    }
}
