using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Quorate.Server.Http;

/// <summary>
/// HTTP/1.1 and HTTP/2 on one port without TLS. Kestrel takes a connection without TLS for HTTP/1.1 where both are
/// allowed, since nothing was negotiated; but a client that speaks HTTP/2 without asking (RFC 9113, section 3.3) says
/// so with its first bytes. They are looked at here, and the connection is given to Kestrel as one that has negotiated.
/// </summary>
internal static class HttpVersions
{
    /// <summary>How long a connection may take to its first bytes, in milliseconds.</summary>
    private const int FirstBytesMilliseconds = 60_000;

    private static ReadOnlySpan<byte> Preface => "PRI "u8;

    public static void Choose(ListenOptions options)
    {
        options.Protocols = HttpProtocols.Http1AndHttp2;
        options.Use(next => async connection =>
        {
            if (await SpeaksHttp2(connection.Transport.Input).ConfigureAwait(false))
            {
                var negotiated = new Negotiated();
                connection.Features.Set<ITlsConnectionFeature>(negotiated);
                connection.Features.Set<ITlsApplicationProtocolFeature>(negotiated);
            }

            await next(connection).ConfigureAwait(false);
        });
    }

    private static async Task<bool> SpeaksHttp2(PipeReader input)
    {
        using var patience = new CancellationTokenSource(FirstBytesMilliseconds);
        while (true)
        {
            ReadResult read;
            try
            {
                read = await input.ReadAsync(patience.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                throw new ConnectionAbortedException("Nothing has come on this connection.", e);
            }

            ReadOnlySequence<byte> bytes = read.Buffer;
            bool isEnough = bytes.Length >= Preface.Length || read.IsCompleted;
            bool isHttp2 = bytes.Length >= Preface.Length && Begins(bytes);

            // Nothing is taken: Kestrel reads it all once more.
            input.AdvanceTo(bytes.Start, isEnough ? bytes.Start : bytes.End);
            if (isEnough)
            {
                return isHttp2;
            }
        }
    }

    private static bool Begins(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> first = stackalloc byte[Preface.Length];
        bytes.Slice(0, Preface.Length).CopyTo(first);
        return first.SequenceEqual(Preface);
    }

    private sealed class Negotiated : ITlsConnectionFeature, ITlsApplicationProtocolFeature
    {
        public ReadOnlyMemory<byte> ApplicationProtocol { get; } = "h2"u8.ToArray();

        public X509Certificate2? ClientCertificate { get; set; }

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) =>
            Task.FromResult<X509Certificate2?>(null);
    }
}
