/** In which sizes, rates and codec video is sent. */

/** A picture of 1280x720 at 30 frames/s; smaller ones take a little more per pixel. */
const PIXELS_720P = 1280 * 720;
const BPS_720P = 1700000;
const bitrateOf = (pixels) => Math.round(BPS_720P * (pixels / PIXELS_720P) ** 0.85);

/**
 * The sizes in which a video track is sent, smallest first, as RTCRtpTransceiverInit.sendEncodings.
 * The rids are "q", "h" and "f" for a quarter, a half and the full width; one size has no rid.
 */
export function encodingsFor(track, source) {
    const { width = 640, height = 360 } = track.getSettings();
    const screen = source === 'screen';
    const scales = screen ? [2, 1] : [4, 2, 1].filter((scale) => Math.max(width, height) / scale >= 240);
    if (scales.length < 2)
        return [{ maxBitrate: bitrateOf(width * height) }];
    return scales.map((scale) => ({
        rid: { 4: 'q', 2: 'h', 1: 'f' }[scale],
        scalabilityMode: 'L1T3', // without it Chromium sends only the first of these in VP9 and AV1
        scaleResolutionDownBy: scale,
        maxBitrate: screen && scale === 1 ? 2500000 : bitrateOf(width * height / scale ** 2),
    }));
}

/**
 * Let `encodings` of RTCRtpSender.setParameters together have no more than `maxBps` (0: no limit). The active ones share
 * it as they share what they would have: `rates` of encodingsFor(), undefined for sound, which the answer limits.
 */
export function limitRates(encodings, rates, maxBps) {
    const rateOf = ({ rid }) => rates?.find((rate) => (rate.rid ?? '') === (rid ?? ''))?.maxBitrate;
    const active = encodings.filter((encoding) => encoding.active && rateOf(encoding));
    const sum = active.reduce((all, encoding) => all + rateOf(encoding), 0);
    const share = maxBps && sum > maxBps ? maxBps / sum : 1;
    for (const encoding of active)
        encoding.maxBitrate = Math.round(rateOf(encoding) * share);
}

/** Offer only `codec` and what repairs it; all codecs where the browser does not have it. */
export function preferCodec(transceiver, codec) {
    const { codecs } = RTCRtpSender.getCapabilities('video');
    const wanted = codecs.filter(({ mimeType }) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`);
    const repair = codecs.filter(({ mimeType }) => /^video\/(rtx|red|ulpfec)$/i.test(mimeType));
    if (wanted.length)
        transceiver.setCodecPreferences([...wanted, ...repair]);
    else
        console.warn(`sluice: this browser has no ${codec}`);
}
