using System.Buffers;
using System.IO.Pipelines;

namespace Quorate.Server.Resp;

/// <summary>Forgets what is written; of any thread, since nobody reads it.</summary>
internal sealed class NoOutput : IBufferWriter<byte>
{
    private const int BytesMin = 64 * 1024;

    public static readonly NoOutput Instance = new();

    private readonly byte[] _bytes = new byte[BytesMin];

    public void Advance(int count)
    {
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => sizeHint <= BytesMin ? _bytes : new byte[sizeHint];

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}

/// <summary>Counts what is written since the last flush.</summary>
internal sealed class CountingWriter(PipeWriter writer) : IBufferWriter<byte>
{
    public long Pending { get; set; }

    public void Advance(int count)
    {
        Pending += count;
        writer.Advance(count);
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => writer.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => writer.GetSpan(sizeHint);

    public ValueTask<FlushResult> FlushAsync() => writer.FlushAsync();
}
