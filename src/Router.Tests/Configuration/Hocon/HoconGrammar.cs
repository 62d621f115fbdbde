using System.Text;

namespace Router.Tests.Configuration.Hocon;

/// <summary>Writes random texts along HOCON's grammar, most of them legal, some of them broken on purpose.</summary>
/// <param name="random">Seeded: the same seed writes the same text.</param>
/// <param name="includes">Files that may be included.</param>
internal sealed class HoconGrammar(Random random, IReadOnlyList<string> includes)
{
    private const int DepthMax = 5;

    private static readonly string[] Names = ["a", "b", "c", "d", "x.y", "a.b", "b.c.d", "\"q.r\"", "1", "0", "e f"];
    private static readonly string[] Blanks = [" ", " ", "", "  ", "\t", "\u00a0", "\ufeff"];
    private static readonly string[] Lines = ["\n", "\n", ",", " ,\n", "\n\n", " # note\n", "// note\n", "\r\n"];
    private static readonly string[] Words =
    [
        "foo", "true", "false", "null", "on", "1", "-1", "1.50", "1e3", "007", "10s", "4 KiB", "f(x)", "-x", "100%",
        "\"\"", "\"q\"", "\"\\u00e9\\n\"", "\"\"\"t\"q\"\"\"\"", "\"\ud83d\ude00\"", "/a/b", ".5", "1.", "include",
    ];

    private readonly StringBuilder _text = new();

    public string Next()
    {
        _text.Clear();
        var isBraced = random.Next(4) == 0;
        Write(isBraced ? "{" : "");
        Fields(0);
        Write(isBraced ? "}" : "");
        return random.Next(4) == 0 ? Broken(_text.ToString()) : _text.ToString();
    }

    private void Fields(int depth)
    {
        for (var i = random.Next(depth == 0 ? 12 : 4); i > 0; i--)
        {
            Write(Pick(Blanks));
            if (includes.Count > 0 && random.Next(25) == 0)
            {
                Include();
            }
            else
            {
                Field(depth);
            }

            Write(Pick(Lines));
        }
    }

    private void Include()
    {
        var file = $"\"{Pick(includes)}\"";
        Write("include ");
        Write(random.Next(4) switch
        {
            0 => $"file({file})",
            1 => $"required({file})",
            2 => $"required( file( {file} ))",
            _ => file,
        });
    }

    private void Field(int depth)
    {
        Write(Pick(Names));
        Write(Pick(Blanks));
        switch (random.Next(8))
        {
            case 0:
                Write("+=");
                break;
            case 1 when depth < DepthMax:
                Object(depth + 1);
                return;
            default:
                Write(random.Next(2) == 0 ? "=" : ":");
                break;
        }

        Write(Pick(Blanks));
        for (var i = random.Next(10) < 6 ? 1 : random.Next(1, 4); i > 0; i--)
        {
            Value(depth);
            Write(Pick(Blanks));
        }
    }

    private void Value(int depth)
    {
        switch (random.Next(10))
        {
            case 0 or 1 when depth < DepthMax:
                Object(depth + 1);
                break;
            case 2 or 3 when depth < DepthMax:
                Array(depth + 1);
                break;
            case 4 or 5 or 6:
                Write(random.Next(3) == 0 ? "${" : "${?");
                Write(Pick(Names));
                Write(random.Next(20) == 0 ? "[]}" : "}");
                break;
            default:
                Write(Pick(Words));
                break;
        }
    }

    private void Object(int depth)
    {
        Write("{");
        Fields(depth);
        Write("}");
    }

    private void Array(int depth)
    {
        Write("[");
        for (var i = random.Next(4); i > 0; i--)
        {
            Value(depth);
            Write(i > 1 ? Pick(Lines) : "");
        }

        Write("]");
    }

    /// <summary>A few characters gone, doubled, or others.</summary>
    private string Broken(string text)
    {
        const string Signs = "{}[]:=,+#`^?!@*&\\\"$.\n \0\u2028-e1";
        var broken = new StringBuilder(text);
        for (var i = random.Next(1, 4); i > 0 && broken.Length > 0; i--)
        {
            var at = random.Next(broken.Length);
            var length = random.Next(Math.Min(8, broken.Length - at));
            _ = random.Next(3) switch
            {
                0 => broken.Remove(at, length),
                1 => broken.Insert(at, broken.ToString(at, length)),
                _ => broken.Insert(at, Signs[random.Next(Signs.Length)]),
            };
        }

        return broken.ToString();
    }

    private string Pick(IReadOnlyList<string> all) => all[random.Next(all.Count)];

    private void Write(string text) => _text.Append(text);
}
