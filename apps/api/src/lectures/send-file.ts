import type { LectureRecord } from '@studymate/contracts/lecture-record';
import type { Response } from 'express';
import { toContentDisposition } from '../http/content-disposition.ts';

/** A text to keep, named after the lecture. */
export function sendFile(res: Response, record: LectureRecord, type: string, ending: string, text: string): void {
  res.setHeader('content-disposition', toContentDisposition('attachment', `${record.title}.${ending}`));
  res.setHeader('content-type', `${type}; charset=utf-8`);
  res.end(text);
}
