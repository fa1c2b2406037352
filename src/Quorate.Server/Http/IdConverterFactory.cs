using System.Text.Json;
using System.Text.Json.Serialization;
using Quorate.Core.Model;

namespace Quorate.Server.Http;

/// <summary>Writes ids, terms and indexes as the plain numbers and texts that people know them by.</summary>
internal sealed class IdConverterFactory : JsonConverterFactory
{
    private static readonly Dictionary<Type, JsonConverter> Converters = new()
    {
        [typeof(NodeId)] = new Converter<NodeId>(static (writer, id) => writer.WriteNumberValue(id.Value)),
        [typeof(GroupId)] = new Converter<GroupId>(static (writer, id) => writer.WriteNumberValue(id.Value)),
        [typeof(Term)] = new Converter<Term>(static (writer, term) => writer.WriteNumberValue(term.Value)),
        [typeof(LogIndex)] = new Converter<LogIndex>(static (writer, index) => writer.WriteNumberValue(index.Value)),
        [typeof(ReplicaId)] = new Converter<ReplicaId>(static (writer, id) => writer.WriteStringValue(id.ToString())),
        [typeof(SlotRange)] = new Converter<SlotRange>(
            static (writer, slots) => writer.WriteStringValue($"{slots.First.Value}-{slots.Last.Value}")),
    };

    public override bool CanConvert(Type typeToConvert) => Converters.ContainsKey(typeToConvert);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        Converters[typeToConvert];

    private sealed class Converter<T>(Action<Utf8JsonWriter, T> write) : JsonConverter<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("The status is only written.");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            write(writer, value);
    }
}
