using Router.CommandLine;
using Router.Hosting;

// Before anything else: a signal that comes while the program starts must not end it.
using var signals = RouterCommand.IsRun(args) ? new ProcessSignals() : null;
var output = StandardOutput.Open(Console.Out);
var command = new RouterCommand(
    output, Console.Error,
    (file, settings, errors) => RouterRunner.RunAsync(
        file, settings, errors, signals!, options => YoungBudget.Apply(options, signals!)),
    TimeProvider.System);
try
{
    return await command.InvokeAsync(args).ConfigureAwait(false);
}
catch (IOException) when (output is StandardOutput { IsBroken: true })
{
    return StandardOutput.ExitBroken;
}

/// <summary>The service; a program that uses the library has one of its own.</summary>
internal sealed partial class Program;
