using System.Collections;
using System.Net;
using System.Text.Json;

namespace Quorate.Server.Settings;

/// <summary>
/// Reads a node's settings from a file, the environment and flags; a later one wins. What does not exist or cannot be
/// is an error that names the setting and where it stands.
/// </summary>
public static class SettingsReader
{
    /// <summary>The file that is read when it is there and no other is named.</summary>
    public const string FileName = "quorate.json";

    /// <summary>Of a value that is wrong, in an error.</summary>
    private const int ShownCharacters = 60;

    private static readonly JsonDocumentOptions JsonOptions = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>Reads all; null, and one sentence, when something is wrong.</summary>
    /// <param name="flags">Names without dashes, and values.</param>
    /// <param name="environment">Of the process, as <see cref="Environment.GetEnvironmentVariables()"/>.</param>
    /// <param name="file">Null: <see cref="FileName"/> where the process is, if it is there.</param>
    public static ServerSettings? Read(
        IEnumerable<KeyValuePair<string, string>> flags, IDictionary environment, string? file, out string problem)
    {
        ServerSettings? settings = ReadFile(new(), file, out problem);
        settings = settings is null ? null : ReadEnvironment(settings, environment, out problem);
        foreach ((string name, string value) in flags)
        {
            settings = settings is null ? null : Apply(settings, name, value, "--" + name, out problem);
        }

        if (settings is not null && Misfit(settings) is { } misfit)
        {
            problem = misfit;
            return null;
        }

        return settings;
    }

    private static ServerSettings? ReadEnvironment(ServerSettings start, IDictionary environment, out string problem)
    {
        problem = "";
        ServerSettings? settings = start;
        foreach (string variable in environment.Keys.Cast<string>().Order(StringComparer.Ordinal))
        {
            bool isOurs = variable.StartsWith(SettingTable.EnvironmentPrefix, StringComparison.Ordinal)
                && !SettingTable.NoSettings.Contains(variable);
            if (isOurs && settings is not null)
            {
                string name = variable[SettingTable.EnvironmentPrefix.Length..].ToLowerInvariant().Replace('_', '-');
                string value = (string?)environment[variable] ?? "";
                settings = Apply(settings, name, value, $"{variable} in the environment", out problem);
            }
        }

        return settings;
    }

    private static ServerSettings? ReadFile(ServerSettings start, string? file, out string problem)
    {
        problem = "";
        string path = Path.GetFullPath(file ?? FileName);
        if (file is null && !File.Exists(path))
        {
            return start;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path), JsonOptions);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                problem = $"The file {path} holds no settings: it must be a JSON object.";
                return null;
            }

            var names = new HashSet<string>(StringComparer.Ordinal);
            ServerSettings? settings = start;
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                string place = $"'{property.Name}' in {path}";
                if (!names.Add(property.Name))
                {
                    problem = $"{place} is there twice: keep one of them.";
                    return null;
                }

                if (SettingTable.Find(property.Name) is { } setting && WrongType(setting, property.Value) is { } wrong)
                {
                    problem = $"{place}: {wrong}.";
                    return null;
                }

                settings = Apply(settings, property.Name, Text(property.Value), place, out problem);
                if (settings is null)
                {
                    return null;
                }
            }

            return settings;
        }
        catch (JsonException e)
        {
            problem = $"The file {path} is no JSON: {e.Message}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"The file {path} cannot be read: {e.Message}";
        }

        return null;
    }

    private static string? WrongType(Setting setting, JsonElement value)
    {
        JsonValueKind kind = value.ValueKind;
        (bool isRight, string wanted) = setting.Type switch
        {
            SettingType.List => (kind == JsonValueKind.String || (kind == JsonValueKind.Array
                && value.EnumerateArray().All(member => member.ValueKind == JsonValueKind.String)), "a list of texts"),
            SettingType.Number => (kind == JsonValueKind.Number, "a number"),
            SettingType.Size => (kind is JsonValueKind.Number or JsonValueKind.String, "a number or a text"),
            SettingType.Switch => (kind is JsonValueKind.True or JsonValueKind.False, "true or false"),
            _ => (kind == JsonValueKind.String, "a text in quotation marks"),
        };
        string shown = value.GetRawText();
        return isRight
            ? null
            : $"{shown[..Math.Min(shown.Length, ShownCharacters)]} stands where {wanted} must stand";
    }

    /// <summary>A list is the same as its members with commas between them.</summary>
    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Array => string.Join(',', value.EnumerateArray().Select(Text)),
        JsonValueKind.True => bool.TrueString,
        JsonValueKind.False => bool.FalseString,
        _ => value.GetRawText(),
    };

    private static ServerSettings? Apply(
        ServerSettings settings, string name, string value, string place, out string problem)
    {
        if (SettingTable.Find(name) is not { } setting)
        {
            problem = $"{place}: there is no such setting; `quorate serve --help` lists them.";
            return null;
        }

        (ServerSettings applied, string? wrong) = setting.Apply(settings, value);
        problem = wrong is null ? "" : $"{place}: '{value}' {wrong}.";
        return wrong is null ? applied : null;
    }

    /// <summary>What is wrong between settings that are right by themselves; null for nothing.</summary>
    private static string? Misfit(ServerSettings settings)
    {
        if (!IPAddress.IsLoopback(settings.Bind) && !settings.Insecure)
        {
            return $"--bind {settings.Bind} would let others than this machine in, and there is neither TLS nor a "
                + "password yet: bind 127.0.0.1, or add --insecure in a network that you trust.";
        }

        bool isAnywhere = settings.Bind.Equals(IPAddress.Any) || settings.Bind.Equals(IPAddress.IPv6Any);
        if (isAnywhere && (settings.AdvertiseResp is null || settings.AdvertiseHttp is null
            || settings.AdvertisePeer is null))
        {
            return $"--bind {settings.Bind} is every address of this machine and so none that others can be told: say "
                + "--advertise-peer host:port, --advertise-resp host:port and --advertise-http host:port.";
        }

        if (settings.Join is not null && (settings.Seeds.Count > 0 || settings.Expect > 0))
        {
            return "--join makes a read replica of a cluster that there is, --seeds and --expect form one: say one of "
                + "the two.";
        }

        if (settings.Replica && (settings.Join is not null || settings.Seeds.Count > 0 || settings.Expect > 0))
        {
            return "--replica makes a node that waits to be told whom to join, --join, --seeds and --expect say it at "
                + "once: say one of them.";
        }

        if (settings.Seeds.Count > 0 && settings.Expect > settings.Seeds.Count)
        {
            return $"--expect {settings.Expect} is more than the {settings.Seeds.Count} addresses of --seeds.";
        }

        int ports = new HashSet<int> { settings.RespPort, settings.HttpPort, settings.PeerPort }.Count;
        return ports == 3 ? null : "--resp-port, --http-port and --peer-port must differ.";
    }
}
