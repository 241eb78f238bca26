import type { LeadRecord } from '../../store/leads.ts'
import { leadView } from '../leads.ts'
import { CSV_HEADER, formatCSVLine } from './csv.ts'

export const EXPORT_FORMATS = ['csv', 'ndjson', 'json'] as const

export type ExportFormat = typeof EXPORT_FORMATS[number]

/** How a file of leads is written: what opens it, each row, what stands between rows, what closes it. */
export type LeadFormat = {
  mediaType: string
  open: string
  row: (lead: LeadRecord, nowMs: number) => string
  separator: string
  close: string
  /** True when a broken file can be continued behind its last whole row. */
  canResume: boolean
}

/** Every format of an export by its name. */
export const LEAD_FORMATS: Readonly<Record<ExportFormat, LeadFormat>> = Object.freeze({
  csv: { mediaType: 'text/csv; charset=utf-8', open: CSV_HEADER, row: formatCSVLine, separator: '', close: '', canResume: true },
  ndjson: { mediaType: 'application/x-ndjson', open: '', row: formatJSONLine, separator: '', close: '', canResume: true },
  json: { mediaType: 'application/json', open: '{"data":[', row: formatJSON, separator: ',', close: ']}', canResume: false }
})

function formatJSON (lead: LeadRecord, nowMs: number): string {
  return JSON.stringify(leadView(lead, nowMs))
}

function formatJSONLine (lead: LeadRecord, nowMs: number): string {
  return `${JSON.stringify(leadView(lead, nowMs))}\n`
}
