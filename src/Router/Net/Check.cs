using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Router.Net;

/// <summary>An assertion failed: a defect of ours. The actor that met it fails, and its supervisor decides.</summary>
internal sealed class CheckFailedException(string message) : Exception(message);

/// <summary>Assertions that stay on in every build.</summary>
internal static class Check
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void That(
        [DoesNotReturnIf(false)] bool condition, [CallerArgumentExpression(nameof(condition))] string fact = "")
    {
        if (!condition)
        {
            Fail(fact);
        }
    }

    [DoesNotReturn]
    private static void Fail(string fact) => throw new CheckFailedException($"expected: {fact}");
}
